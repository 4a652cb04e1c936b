/* terms.js - every abbreviation and word of art of the pages, explained once. */
'use strict';

/* What the letters of the edges of Hetionet stand for (Himmelstein et al. 2017, eLife 6:e26726); others by the kinds they join. */
const EDGE_TEXT = {
  CbG: 'drug (compound) binds a gene’s product: its target',
  CuG: 'drug raises the expression of the gene',
  CdG: 'drug lowers the expression of the gene',
  CrC: 'drug resembles drug in structure',
  CcSE: 'drug causes the side effect',
  PCiC: 'pharmacologic class includes the drug',
  DaG: 'disorder is associated with the gene, by any source',
  DgG: 'disorder is associated with the gene in a genome-wide association study',
  DcG: 'disorder is associated with the gene by a curated source',
  DuG: 'disorder raises the expression of the gene',
  DdG: 'disorder lowers the expression of the gene',
  DpS: 'disorder presents with the symptom',
  DsS: 'disorder presents with the symptom, weighted',
  DlA: 'disorder is localised to the anatomical part',
  DrD: 'disorder resembles disorder',
  DmD: 'disorders are mentioned together in the literature',
  AuG: 'anatomical part raises the expression of the gene',
  AdG: 'anatomical part lowers the expression of the gene',
  AeG: 'anatomical part expresses the gene',
  GiG: 'gene’s product interacts with that of the other gene',
  GcG: 'gene covaries in evolution with the other gene',
  GpPW: 'gene takes part in the pathway'
};
const edgeText = (e) => EDGE_TEXT[e.id] || `${e.from} – ${e.to}`;

const TERMS = [
  ['average precision', 'mean, over the recorded treatments, of the share of treatments among the drugs that stand as high or higher. Chance: the prevalence.'],
  ['AUROC', 'area under the receiver operating characteristic curve: how often a treatment stands above another drug. Chance: 0.5.'],
  ['vs CNS drugs, matched, failed', 'AUROC against drugs for the central nervous system (CNS) alone; against drugs as widely used and studied; against drugs recorded as failed or contraindicated.'],
  ['BEDROC (20), NDCG', 'measures that count the first ranks most: Boltzmann-enhanced discrimination of the receiver operating characteristic with alpha 20; normalised discounted cumulative gain.'],
  ['interval', '90 % unless said otherwise. Of scores and ranks: over redraws of the inputs. Of measures: over resampled disorders and drugs.'],
  ['log odds', 'natural logarithm of p / (1 − p). One more is 2.7 times the odds, 2.3 more ten times.'],
  ['channel', 'one kind of evidence, one number per drug and disorder. VOTE: enters the score. GATE: excludes or lowers. BASELINE: shown beside, never fused.'],
  ['protocol', 'what was hidden before a drug was scored: masked, the records of drugs like it; zero shot, all of the disorder’s; new drug, the drug’s own everywhere.'],
  ['masked: Dice, InChIKey, ATC', 'drugs are alike by the Dice similarity of their Morgan fingerprints, the first block of the International Chemical Identifier key (the same skeleton), or the fourth level of the Anatomical Therapeutic Chemical classification.'],
  ['approved, symptomatic', 'both are recorded treatments: of the disorder, or of its symptoms.'],
  ['direction', 'agreement, −1 to 1, of what the drug does to its targets with what treatments of the disorder do. “Mean action” of treatments: −1 all lower the target, +1 all raise it. Below 0 lowers the score.'],
  ['contraindicated', 'recorded so, or as failed for harm, or known to make the disorder worse. It is marked and keeps its rank so that it can be seen.'],
  ['CNS MPO, log BB', 'central nervous system multiparameter optimisation: a score of 0 to 6 from structure for passive entry into the brain. log BB: measured logarithm of the ratio of concentrations in brain and blood.'],
  ['ClogP, MW, TPSA, HBD, pKa', 'calculated lipophilicity, molecular weight (g/mol), topological polar surface area (Å²), hydrogen-bond donors, acidity.'],
  ['kinship weight', 'how alike two disorders are by genes, symptoms, literature and anatomy; relative within a disorder.'],
  ['normal score', 'the value a normal distribution has at the drug’s rank.'],
  ['observed / expected, slope, Brier', 'calibration of probabilities: counts against sums of probabilities (1 is right), the slope of the logit (1 is right), the mean squared error (small is good).'],
  ['Holm', 'correction of p values for the number of disorders tested.'],
  ['n+, n−', 'recorded treatments, and other drugs, that are scored.']
];

/* Left out where the page shows none of it. */
function termsSection() {
  const maps = [
    ['map null, surrogate map', 'a random map as smooth as the disorder’s own; p says how often such a map does as well.'],
    ['z, density', 'receptor density from positron emission tomography (PET) in standard deviations over the regions.'],
    ['pKi', 'minus the decimal logarithm of the inhibition constant in mol/l: 9 is 1 nM, 6 is 1 µM.']
  ];
  const edges = (data.network || []).map((e) => [e.id, edgeText(e)]);
  return section('terms', 'Terms and abbreviations', facts([...TERMS, ...(data.has_map === false ? [] : maps), ...edges]));
}
