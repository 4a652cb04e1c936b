/* SPDX-License-Identifier: Apache-2.0 */
/* rdkit - the RDKit module: the one file that knows RDKit and InChI, behind the C face of rdkit.h. */
#include "molecule/rdkit.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <tuple>
#include <vector>

#include <DataStructs/ExplicitBitVect.h>
#include <GraphMol/Descriptors/Crippen.h>
#include <GraphMol/Descriptors/Lipinski.h>
#include <GraphMol/Descriptors/MolDescriptors.h>
#include <GraphMol/FileParsers/FileParsers.h>
#include <GraphMol/Fingerprints/Fingerprints.h>
#include <GraphMol/Fingerprints/MACCS.h>
#include <GraphMol/Fingerprints/MorganFingerprints.h>
#include <GraphMol/GraphMol.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/PeriodicTable.h>
#include <GraphMol/SanitException.h>
#include <GraphMol/SmilesParse/SmilesParse.h>
#include <GraphMol/SmilesParse/SmilesWrite.h>
#include <RDGeneral/FileParseException.h>
#include <RDGeneral/RDLog.h>
#include <RDGeneral/versions.h>
#include <inchi_api.h>

namespace {

/* The SMILES parser tells its errors to the log alone. Each thread's errors go to its own text, nobody's to stderr. */
thread_local std::string heard;

class listener : public std::streambuf {
    int overflow(int c) override
    {
        if (c != EOF && heard.size() < 4096)
            heard.push_back(static_cast<char>(c));
        return c;
    }
    std::streamsize xsputn(const char *text, std::streamsize n) override
    {
        if (heard.size() < 4096)
            heard.append(text, static_cast<size_t>(n));
        return n;
    }
};

void listen()
{
    static listener ears;
    static std::ostream stream(&ears);
    rdErrorLog = std::make_shared<boost::logging::rdLogger>(&stream);
    rdWarningLog = rdInfoLog = rdDebugLog = rdAppLog = rdStatusLog = nullptr;
}

/* One line of plain text: "[12:00:00] " of the log and every control character go. */
void give_reason(nep_converted *out, std::string text)
{
    while (text.size() > 10 && text[0] == '[' && text[3] == ':' && text[9] == ']')
        text.erase(0, text.size() > 11 ? 11 : 10);
    const size_t first = text.find_first_not_of(" \n\t\r");
    text.erase(0, first == std::string::npos ? text.size() : first);
    text.erase(std::min(text.size(), text.find_first_of("\n\r")));
    for (char &c : text)
        if (static_cast<unsigned char>(c) < ' ' || static_cast<unsigned char>(c) > '~')
            c = '?';
    if (text.empty())
        text = "RDKit cannot read it";
    snprintf(out->reason, sizeof out->reason, "%s", text.c_str());
}

using molecule = std::unique_ptr<RDKit::ROMol>;

molecule parse(const nep_convert_input &in)
{
    const std::string text(in.text, static_cast<size_t>(in.n_bytes));
    if (in.molblock)
        return molecule(RDKit::MolBlockToMol(text));
    RDKit::SmilesParserParams p;
    p.parseName = false;
    return molecule(RDKit::SmilesToMol(text, p));
}

/* ---- InChI ---- */

/* RDKit keeps perchlorates with separated charges, [O-][Cl+3]([O-])([O-])O; InChI is told of double bonds. */
void join_charges(RDKit::RWMol &m)
{
    for (auto *cl : m.atoms()) {
        if (cl->getAtomicNum() != 17 || cl->getFormalCharge() != 3 || cl->getDegree() != 4)
            continue;
        for (auto *bond : m.atomBonds(cl)) {
            auto *o = bond->getOtherAtom(cl);
            if (cl->getFormalCharge() > 0 && o->getAtomicNum() == 8 && o->getFormalCharge() == -1 && o->getDegree() == 1) {
                bond->setBondType(RDKit::Bond::DOUBLE);
                o->setFormalCharge(0);
                cl->setFormalCharge(cl->getFormalCharge() - 1);
            }
        }
    }
}

void fill_atom(const RDKit::Atom &a, inchi_Atom &out)
{
    const auto *table = RDKit::PeriodicTable::getTable();
    snprintf(out.elname, sizeof out.elname, "%s", a.getSymbol().c_str());
    out.num_iso_H[0] = static_cast<S_CHAR>(a.getTotalNumHs());
    if (a.getIsotope())
        out.isotopic_mass = static_cast<AT_NUM>(ISOTOPIC_SHIFT_FLAG + static_cast<int>(a.getIsotope()) -
                                                static_cast<int>(table->getAtomicWeight(a.getAtomicNum()) + 0.5));
    out.charge = static_cast<S_CHAR>(a.getFormalCharge());
    if (a.getNumRadicalElectrons())
        out.radical = static_cast<S_CHAR>(a.getNumRadicalElectrons() + 1);
}

/* RDKit's CW: from the first neighbour the others run clockwise, in the order of the bonds, a hydrogen or lone pair that is no atom
 * last of all. InChI's even: the same from its first neighbour, where that hydrogen or lone pair (named by the centre) comes first:
 * three swaps away, so that the parity turns. */
bool tetrahedral(const RDKit::ROMol &m, const RDKit::Atom &a, inchi_Stereo0D &out)
{
    const auto tag = a.getChiralTag();
    if ((tag != RDKit::Atom::CHI_TETRAHEDRAL_CW && tag != RDKit::Atom::CHI_TETRAHEDRAL_CCW) || a.getDegree() < 3 || a.getDegree() > 4)
        return false;
    int k = 0;
    if (a.getDegree() == 3)
        out.neighbor[k++] = static_cast<AT_NUM>(a.getIdx());
    for (const auto *bond : m.atomBonds(&a))
        out.neighbor[k++] = static_cast<AT_NUM>(bond->getOtherAtomIdx(a.getIdx()));
    out.central_atom = static_cast<AT_NUM>(a.getIdx());
    out.type = INCHI_StereoType_Tetrahedral;
    const bool clockwise = tag == RDKit::Atom::CHI_TETRAHEDRAL_CW;
    out.parity = clockwise == (a.getDegree() == 4) ? INCHI_PARITY_EVEN : INCHI_PARITY_ODD;
    return true;
}

bool double_bond(const RDKit::Bond &b, inchi_Stereo0D &out)
{
    const auto s = b.getStereo();
    if (s <= RDKit::Bond::STEREOANY || b.getStereoAtoms().size() != 2)
        return false;
    out.neighbor[0] = static_cast<AT_NUM>(b.getStereoAtoms()[0]);
    out.neighbor[1] = static_cast<AT_NUM>(b.getBeginAtomIdx());
    out.neighbor[2] = static_cast<AT_NUM>(b.getEndAtomIdx());
    out.neighbor[3] = static_cast<AT_NUM>(b.getStereoAtoms()[1]);
    out.central_atom = NO_ATOM;
    out.type = INCHI_StereoType_DoubleBond;
    out.parity = s == RDKit::Bond::STEREOZ || s == RDKit::Bond::STEREOCIS ? INCHI_PARITY_ODD : INCHI_PARITY_EVEN;
    return true;
}

/* False for what InChI has no word for, a dative bond say, and for an atom of more than 20 bonds. */
bool fill_bond(const RDKit::Bond &b, std::vector<inchi_Atom> &atoms)
{
    const auto type = b.getBondType();
    inchi_Atom &a = atoms[b.getBeginAtomIdx()];
    if (a.num_bonds >= MAXVAL || type < RDKit::Bond::SINGLE || type > RDKit::Bond::TRIPLE)
        return false;
    a.neighbor[a.num_bonds] = static_cast<AT_NUM>(b.getEndAtomIdx());
    a.bond_type[a.num_bonds] = type == RDKit::Bond::DOUBLE   ? INCHI_BOND_TYPE_DOUBLE
                               : type == RDKit::Bond::TRIPLE ? INCHI_BOND_TYPE_TRIPLE
                                                             : INCHI_BOND_TYPE_SINGLE;
    if (b.getBondDir() == RDKit::Bond::EITHERDOUBLE || b.getStereo() == RDKit::Bond::STEREOANY)
        a.bond_stereo[a.num_bonds] = INCHI_BOND_STEREO_DOUBLE_EITHER;
    a.num_bonds++;
    return true;
}

/* libinchi keeps its state in globals. */
void ask_inchi(inchi_Input &in, char key[28])
{
    static std::mutex one_at_a_time;
    const std::lock_guard<std::mutex> lock(one_at_a_time);
    inchi_Output got;
    memset(&got, 0, sizeof got);
    const int rc = GetStdINCHI(&in, &got);
    if ((rc == inchi_Ret_OKAY || rc == inchi_Ret_WARNING) && got.szInChI &&
        GetStdINCHIKeyFromStdINCHI(got.szInChI, key) != INCHIKEY_OK)
        key[0] = '\0';
    FreeStdINCHI(&got);
}

void inchikey(const RDKit::ROMol &given, char key[28])
{
    key[0] = '\0';
    if (given.getNumAtoms() == 0 || given.getNumAtoms() >= 1024)
        return;
    RDKit::RWMol m(given);
    RDKit::MolOps::Kekulize(m, false);
    join_charges(m);
    std::vector<inchi_Atom> atoms(m.getNumAtoms());
    std::vector<inchi_Stereo0D> stereo;
    memset(atoms.data(), 0, atoms.size() * sizeof atoms[0]);
    for (const auto *a : m.atoms()) {
        if (a->getAtomicNum() == 0)
            return;
        fill_atom(*a, atoms[a->getIdx()]);
        inchi_Stereo0D s;
        memset(&s, 0, sizeof s);
        if (tetrahedral(m, *a, s))
            stereo.push_back(s);
    }
    for (const auto *b : m.bonds()) {
        inchi_Stereo0D s;
        memset(&s, 0, sizeof s);
        if (!fill_bond(*b, atoms))
            return;
        if (double_bond(*b, s))
            stereo.push_back(s);
    }
    char options[] = "-W30"; /* seconds for one structure */
    inchi_Input in;
    memset(&in, 0, sizeof in);
    in.atom = atoms.data();
    in.num_atoms = static_cast<AT_NUM>(atoms.size());
    in.stereo0D = stereo.empty() ? nullptr : stereo.data();
    in.num_stereo0D = static_cast<AT_NUM>(stereo.size());
    in.szOptions = options;
    ask_inchi(in, key);
}

/* ---- fingerprint, descriptors ---- */

/* RDKit lists every subgraph of up to 7 bonds: 12 metal atoms bonded each to each have more than fit in 11 GB. Walks of that length
 * are counted first; a drug has some 10^4 of them. */
void check_paths(const RDKit::ROMol &m)
{
    std::vector<double> walks(m.getNumAtoms(), 1.0), next;
    double all = 0;
    for (int step = 0; step < 7; step++) {
        next.assign(walks.size(), 0.0);
        for (const auto *b : m.bonds()) {
            next[b->getBeginAtomIdx()] += walks[b->getEndAtomIdx()];
            next[b->getEndAtomIdx()] += walks[b->getBeginAtomIdx()];
        }
        walks.swap(next);
    }
    for (const double w : walks)
        all += w;
    if (all > 1e7)
        throw std::length_error("its atoms are bonded too densely for a fingerprint of paths");
}

void fingerprint(const RDKit::ROMol &m, const nep_fingerprint &f, uint64_t *bits)
{
    std::unique_ptr<ExplicitBitVect> v;
    const auto n = static_cast<unsigned>(f.n_bits);
    if (f.kind == NEP_FINGERPRINT_MORGAN) {
        v.reset(RDKit::MorganFingerprints::getFingerprintAsBitVect(m, static_cast<unsigned>(f.radius), n));
    } else if (f.kind == NEP_FINGERPRINT_RDKIT) {
        check_paths(m);
        v.reset(RDKit::RDKFingerprintMol(m, 1, 7, n));
    } else if (f.kind == NEP_FINGERPRINT_MACCS) {
        v.reset(RDKit::MACCSFingerprints::getFingerprintAsBitVect(m));
    }
    if (v)
        boost::to_block_range(*v->dp_bits, bits);
}
static_assert(sizeof(boost::dynamic_bitset<>::block_type) == sizeof(uint64_t), "a block is a word");

/* The order of nep_convert_descriptor_names. */
void measure(const RDKit::ROMol &m, double *out)
{
    using namespace RDKit;
    double logp = 0, mr = 0;
    std::vector<int> part;
    Descriptors::calcCrippenDescriptors(m, logp, mr);
    const double all[] = {Descriptors::calcAMW(m),
                          logp,
                          Descriptors::calcTPSA(m),
                          static_cast<double>(Descriptors::calcNumHBD(m)),
                          static_cast<double>(Descriptors::calcNumHBA(m)),
                          static_cast<double>(Descriptors::calcNumRotatableBonds(m)),
                          static_cast<double>(Descriptors::calcNumRings(m)),
                          static_cast<double>(Descriptors::calcNumAromaticRings(m)),
                          static_cast<double>(m.getNumHeavyAtoms()),
                          static_cast<double>(MolOps::getFormalCharge(m)),
                          Descriptors::calcFractionCSP3(m),
                          mr,
                          static_cast<double>(MolOps::getMolFrags(m, part))};
    static_assert(sizeof all / sizeof all[0] == NEP_CONVERT_MEASURED, "one value per name");
    memcpy(out, all, sizeof all);
}

/* ---- one molecule ---- */

/* The component with most heavy atoms, then weight, then the SMILES that comes first; null when there is one only. */
molecule largest(const RDKit::ROMol &m)
{
    std::vector<int> part;
    if (RDKit::MolOps::getMolFrags(m, part) < 2)
        return nullptr;
    const auto parts = RDKit::MolOps::getMolFrags(m, false);
    const RDKit::ROMol *best = nullptr;
    std::tuple<unsigned, double> most;
    std::string text;
    for (const auto &p : parts) {
        const std::tuple<unsigned, double> size(p->getNumHeavyAtoms(), RDKit::Descriptors::calcAMW(*p));
        if (best && size < most)
            continue;
        const std::string s = RDKit::MolToSmiles(*p);
        if (!best || size > most || s < text) {
            best = p.get();
            most = size;
            text = s;
        }
    }
    auto copy = std::make_unique<RDKit::RWMol>(*best);
    RDKit::MolOps::sanitizeMol(*copy);
    return copy;
}

char *copy_text(const std::string &s)
{
    char *text = strdup(s.c_str());
    if (!text)
        throw std::bad_alloc();
    return text;
}

void fill(molecule m, const nep_convert_opts &o, nep_converted *out, uint64_t *bits, double *descriptor)
{
    molecule parent = largest(*m);
    if (parent) {
        out->parent_smiles = copy_text(RDKit::MolToSmiles(*parent));
        if (o.inchikey)
            inchikey(*parent, out->parent_inchikey);
        if (o.parent)
            m = std::move(parent);
    }
    if (o.inchikey && !(o.parent && out->parent_smiles))
        inchikey(*m, out->inchikey);
    else if (o.inchikey)
        memcpy(out->inchikey, out->parent_inchikey, sizeof out->inchikey);
    if (!out->parent_smiles)
        memcpy(out->parent_inchikey, out->inchikey, sizeof out->inchikey);
    fingerprint(*m, o.fingerprint, bits);
    if (o.descriptors)
        measure(*m, descriptor);
    out->smiles = copy_text(RDKit::MolToSmiles(*m));
}

bool convert(const nep_convert_input *in, const nep_convert_opts *o, nep_converted *out, uint64_t *bits, double *descriptor)
{
    heard.clear();
    try {
        molecule m = parse(*in);
        if (m && m->getNumAtoms() > NEP_CONVERT_ATOMS_MOST)
            throw std::length_error("it has " + std::to_string(m->getNumAtoms()) + " atoms, more than " +
                                    std::to_string(NEP_CONVERT_ATOMS_MOST));
        if (m && m->getNumAtoms() == 0)
            throw std::length_error("it has no atoms");
        if (m) {
            fill(std::move(m), *o, out, bits, descriptor);
            return true;
        }
        give_reason(out, heard);
    } catch (const std::length_error &e) {
        give_reason(out, e.what());
    } catch (const RDKit::MolSanitizeException &e) {
        give_reason(out, e.what());
    } catch (const RDKit::FileParseException &e) {
        give_reason(out, e.what());
    } catch (const std::exception &e) { /* a lookup or a check within RDKit: "idx" */
        give_reason(out, std::string("RDKit cannot follow it (") + e.what() + ")");
    } catch (...) {
        give_reason(out, heard);
    }
    free(out->smiles);
    free(out->parent_smiles);
    out->smiles = out->parent_smiles = nullptr;
    out->inchikey[0] = out->parent_inchikey[0] = '\0';
    return false;
}

} // namespace

extern "C" __attribute__((visibility("default"))) const nep_rdkit *nep_rdkit_module(uint64_t hash)
{
    static std::string about = std::string("RDKit ") + RDKit::rdkitVersion + ", InChI " NEP_INCHI_VERSION;
    static const nep_rdkit face = {about.c_str(), convert};
    if (hash != nep_rdkit_hash())
        return nullptr;
    listen();
    return &face;
}
