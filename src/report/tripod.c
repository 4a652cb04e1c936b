/* SPDX-License-Identifier: Apache-2.0 */
/* tripod.c - the 52 points of TRIPOD+AI, filled in from the run; those that a program cannot know say who must fill them.
 *
 * Source: Collins et al. (2024) BMJ 385:e078378, doi:10.1136/bmj-2023-078378. Numbers, sections and the marks D (development) and E
 * (evaluation) were checked one by one against two public transcriptions of its checklist, that of table 2 (PMC11019967) and that of the form
 * to fill in (edition of 11 January 2024), which agree. Topics and texts are in words of our own. */
#include "doc.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const nep_evaluation *e;
    const nep_ranking *r;
    const nep_inputs *in;
    bool learned;
    int votes;
    int64_t drugs, disorders, context, others, treatments, negatives; /* treatments and negatives of the protocol reported */
    nep_protocol p;
    char *text;
    size_t size;
} source;

static void say(source *s, const char *fmt, ...) NEP_PRINTF(2, 3);
static void say(source *s, const char *fmt, ...)
{
    const size_t used = strlen(s->text);
    va_list args;
    va_start(args, fmt);
    vsnprintf(s->text + used, s->size - used, fmt, args);
    va_end(args);
}

static void say_estimate(source *s, const char *name, const nep_estimate *x)
{
    if (isnan(x->value))
        say(s, "%s not estimable", name);
    else
        say(s, "%s %.3f (90 %% interval %.3f to %.3f; t interval over disorders %.3f to %.3f)", name, x->value, x->low, x->high, x->t_low, x->t_high);
}

static void fill_title(source *s)
{
    say(s, "Development and evaluation of a %s that predicts which of %lld drugs are recorded treatments of %lld disorders (study '%s').",
        s->learned ? "hierarchical logistic regression" : "fused score (Stouffer) with a logistic calibration", (long long)s->drugs,
        (long long)s->disorders, s->r->study_name ? s->r->study_name : "");
}

static void fill_use(source *s)
{
    say(s, "Units are pairs of a drug and a disorder, not patients. Intended use: ranking hypotheses for a pharmacologist who decides what to test next. "
           "Not for decisions about a patient.");
}

static void fill_objectives(source *s)
{
    say(s, "Both development and evaluation. One primary analysis, declared in the study file: %s over the channels", s->learned ? "the hierarchical model" : "Stouffer's fusion");
    for (int c = 0; c < s->votes; c++)
        say(s, "%s %s", c ? "," : "", s->r->channels[c]->name);
    say(s, ". Everything else is exploratory.");
}

static void fill_sources(source *s)
{
    const nep_network *net = s->in->network;
    int64_t edges = 0;
    for (int64_t m = 0; net && m < net->n_metaedges; m++)
        edges += net->metaedge[m].n;
    say(s, "Labels: the study's table; %lld recorded treatments of the ranked disorders. ", (long long)s->treatments);
    if (net)
        say(s, "Network '%s': %lld edges of %lld kinds, each with its source and licence. ", net->name ? net->name : "", (long long)edges, (long long)net->n_metaedges);
    if (s->in->n_affinities)
        say(s, "%lld affinities. ", (long long)s->in->n_affinities);
    say(s, "Files and hashes: provenance of this document.");
}

static void fill_eligible(source *s)
{
    say(s, "All %lld drugs of the drug table. Ranked disorders: %lld; %lld more of the study lend their labels alone; %lld others of the label table teach "
           "where they have enough records. Only drugs that the fusion scores are evaluated.",
        (long long)s->drugs, (long long)s->disorders, (long long)s->context, (long long)s->others);
}

static void fill_dates(source *s)
{
    int64_t dated = 0, records = 0;
    int first = 0, last = 0;
    for (int64_t i = 0; i < s->disorders * s->drugs; i++) {
        const int year = s->in->label_year ? s->in->label_year[i] : 0;
        records += nep_label_indicated(s->in->labels[i]);
        if (!nep_label_indicated(s->in->labels[i]) || year == 0)
            continue;
        dated++;
        first = first == 0 || year < first ? year : first;
        last = year > last ? year : last;
    }
    say(s, "%lld of %lld recorded treatments carry a year", (long long)dated, (long long)records);
    if (dated)
        say(s, " (%d to %d)", first, last);
    say(s, ".");
}

static void fill_checks(source *s)
{
    say(s, "Every id is checked against the tables of drugs, disorders and network nodes; unknown ids are refused, repeated edges dropped and counted "
           "(warnings); no value is imputed. The same for every drug and disorder.");
}

static void fill_preparation(source *s)
{
    say(s, s->learned ? "Channel values enter as asinh(0.3 v / mean |v|) within each disorder, then standardised over the disorders that teach the fold."
                      : "Channel values become normal scores within each disorder.");
}

static void fill_outcome(source *s)
{
    say(s, "Being a recorded treatment: status approved or symptomatic in the label table. Investigational drugs %s. What is predicted is the record, not "
           "efficacy: a drug that was never tried counts as not recorded. There is no time horizon.",
        s->in->investigational_negative ? "count as not recorded" : "are left out");
}

static void fill_blinding(source *s)
{
    for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++)
        if (s->e->fused.run[p])
            say(s, "%s: %s. ", nep_protocol_name(p), nep_protocol_definition(p));
    say(s, "Channels receive visible labels only; tests with poisoned hidden labels hold them to it.");
}

static void fill_predictors(source *s)
{
    int beside = 0;
    say(s, "%d voting channel%s, declared before the run", s->votes, s->votes == 1 ? "" : "s");
    for (int c = 0; c < s->r->n_channels; c++)
        if (s->r->channels[c]->role != NEP_ROLE_VOTE && s->r->channels[c]->role != NEP_ROLE_BASELINE)
            say(s, "%s %s (%s)", beside++ ? "," : "; beside them", s->r->channels[c]->name,
                s->r->channels[c]->role == NEP_ROLE_GATE ? "gate" : "nuisance, modelled and never credited");
    say(s, ". None was chosen by its result in this run.");
}

static void fill_size(source *s)
{
    say(s, "All that is recorded: %lld treatments among %lld scored pairs (%s protocol); no size was calculated beforehand. Intervals show what that allows.",
        (long long)s->treatments, (long long)(s->treatments + s->negatives), nep_protocol_name(s->p));
}

static void fill_missing(source *s)
{
    say(s, s->learned ? "A silent channel gets a constant learned for silence; nothing is imputed as no evidence. Silent pairs:"
                      : "A silent channel is left out of the drug's sum, whose scale follows; nothing is imputed. Silent pairs:");
    for (int c = 0; c < s->votes; c++) {
        int64_t silent = 0;
        for (int64_t j = 0; j < s->disorders; j++)
            for (int64_t k = 0; k < s->drugs; k++)
                silent += isnan(s->r->disorders[j].value[k * s->r->n_channels + c]);
        say(s, "%s %s %.1f %%", c ? "," : "", s->r->channels[c]->name, 100.0 * (double)silent / (double)(s->disorders * s->drugs));
    }
    say(s, ".");
}

static void fill_division(source *s)
{
    say(s, "Leave one disorder out: %s; inside it the labels that each protocol names are hidden drug by drug. No further sample was set aside. ",
        s->learned ? "every disorder is scored by a model of the others" : "the probability curve of each disorder comes from the others");
    if (s->e->time_split)
        say(s, "Time split at %lld: %s.", (long long)s->e->time_split->year, nep_time_split_definition());
    else
        say(s, "No time split was asked for.");
    for (int i = 0; i < s->e->n_controls; i++)
        say(s, "%s%s", i ? ", " : " Negative controls: ", nep_controls_name(s->e->controls[i].kind));
    say(s, "%s", s->e->n_controls ? "." : "");
}

static void fill_model(source *s)
{
    if (s->learned)
        say(s, "Hierarchical Bayesian logistic regression with non-negative common weights, their spread between disorders, and a term for silence; fitted by "
               "Newton's method, spreads at the mode of their logarithm (Laplace). Priors are stated in the documentation and fixed; nothing is tuned in "
               "the run, and no channel was selected.");
    else
        say(s, "Stouffer's sum of normal scores over its standard deviation: no weight is fitted. Probabilities by logistic regression on the score.");
}

static void fill_heterogeneity(source *s)
{
    if (s->learned)
        say(s, "Weights differ between disorders by an estimated spread; a new disorder has its own, drawn. ");
    say(s, "All measures are given per disorder; means over disorders count each once.");
}

static void fill_measures(source *s)
{
    say(s, "Average precision with prevalence, AUROC (against all drugs");
    for (nep_negatives k = NEP_NEGATIVES_NERVOUS_SYSTEM; k < NEP_NEGATIVES_COUNT; k++)
        if (s->e->negatives[k])
            say(s, ", %s", nep_negatives_name(k));
    say(s, "), BEDROC (alpha 20), precision at 20, NDCG at 20; observed/expected, calibration slope and curve, Brier score; sets with conformal coverage. Ties in expectation. "
           "Intervals: %lld two-way bootstrap samples of disorders and drugs, and a t interval over disorders. Clinical utility is not measured: no "
           "decision about a patient follows from a rank.",
        (long long)s->e->n_bootstrap);
}

static void fill_updating(source *s)
{
    say(s, s->learned ? "In every fold level and slope are set on the other ranked disorders. No further updating." : "No updating was done.");
}

static void fill_prediction(source *s)
{
    say(s, "Predictions of a disorder follow from the fold that left it out, computed by this program (predictions.tsv has every one).");
}

static void fill_imbalance(source *s)
{
    say(s, "%.2f %% of the scored pairs are recorded treatments. Nothing was resampled or weighted; average precision stands beside its prevalence.",
        100.0 * (double)s->treatments / fmax(1, (double)(s->treatments + s->negatives)));
}

static void fill_fairness(source *s)
{
    say(s, "No patients, so no patient groups. In their place: every disorder is reported apart, the calibration and the coverage of sets per disorder too, and "
           "drugs are held against others as widely used and studied.");
}

static void fill_output(source *s)
{
    say(s, "%s, with interval, rank interval, probability of the first ten, and a verdict in words; 'supported' from %.3f on (%s; stated, not "
           "learned). Probability: of being a recorded treatment.",
        s->learned ? "Log odds above the disorder's average drug" : "A score in standard deviations", s->learned ? NEP_VERDICT_ODDS : NEP_VERDICT_SCORE,
        s->learned ? "ten times the odds of the average drug" : "the upper 5 % of a ranking without signal");
}

static void fill_differences(source *s)
{
    say(s, "Same sources, drugs and definitions in training and evaluation; only the disorder differs. So the figures speak for new disorders of the same "
           "kind of record, not for other sources.");
}

static void fill_flow(source *s)
{
    const int64_t scored = s->treatments + s->negatives, all = s->drugs * s->disorders;
    say(s, "%lld drugs x %lld disorders make %lld pairs; %lld are evaluated (%s protocol), %lld of them recorded treatments and %lld not; %lld have no score or a "
           "label that is left out. There is no follow-up.",
        (long long)s->drugs, (long long)s->disorders, (long long)all, (long long)scored, nep_protocol_name(s->p), (long long)s->treatments,
        (long long)s->negatives, (long long)(all - scored));
}

static void fill_characteristics(source *s)
{
    const nep_performance *p = s->e->fused.disorders[s->p];
    int64_t least = 0, most = 0;
    for (int64_t j = 1; j < s->disorders; j++) {
        least = p[j].n_pos < p[least].n_pos ? j : least;
        most = p[j].n_pos > p[most].n_pos ? j : most;
    }
    say(s, "Recorded treatments per disorder from %lld (%s) to %lld (%s); per disorder in evaluation.json. Dates: 5b. Missing values: 11.", (long long)p[least].n_pos,
        s->r->disorders[least].name, (long long)p[most].n_pos, s->r->disorders[most].name);
}

static void fill_compared(source *s)
{
    const nep_performance *p = s->e->fused.disorders[s->p];
    double least = INFINITY, most = -INFINITY;
    for (int64_t j = 0; j < s->disorders; j++) {
        least = fmin(least, p[j].prevalence);
        most = fmax(most, p[j].prevalence);
    }
    say(s, "Each disorder is evaluated once and teaches the others' models. The outcome differs between them: %.2f %% to %.2f %% of a disorder's scored drugs are "
           "recorded treatments.",
        100 * least, 100 * most);
}

static void fill_development(source *s)
{
    say(s, "Each of the %lld analyses: the pairs of the other disorders; %lld treatments in all ranked disorders together.", (long long)s->disorders,
        (long long)s->treatments);
}

static void fill_specification(source *s)
{
    if (!s->learned || !s->r->weight) {
        say(s, "No weights: the score is the sum of normal scores over its standard deviation.");
        return;
    }
    say(s, "Log odds per SD of each channel, mean over the disorders' models:");
    for (int c = 0; c < s->votes; c++) {
        double sum = 0;
        for (int64_t j = 0; j < s->disorders; j++)
            sum += s->r->weight[j * s->votes + c] / (double)s->disorders;
        say(s, "%s %s %.3f", c ? "," : "", s->r->channels[c]->name, sum);
    }
    say(s, ". Per disorder, with spreads: candidates.json of `rank` (key weights); `nepenthe rank` applies it to other drugs and disorders. Reuse: 18e, 18f.");
}

static void fill_performance(source *s)
{
    for (nep_protocol p = 0; p < NEP_PROTOCOL_COUNT; p++) {
        if (!s->e->fused.run[p])
            continue;
        say(s, "%s: ", nep_protocol_name(p));
        say_estimate(s, "average precision", &s->e->fused.macro[p].ap);
        say_estimate(s, ", AUROC", &s->e->fused.macro[p].auroc);
        say(s, ". ");
    }
    if (!isnan(s->e->pooled.oe))
        say(s, "Calibration (%s): observed/expected %.2f, slope %.2f, Brier %.4f (of the prevalence alone %.4f).", nep_protocol_name(s->e->calibrated),
            s->e->pooled.oe, s->e->pooled.slope, s->e->pooled.brier, s->e->pooled.brier_null);
}

static void fill_between(source *s)
{
    const nep_performance *p = s->e->fused.disorders[s->p];
    int64_t least = -1, most = -1;
    for (int64_t j = 0; j < s->disorders; j++) {
        if (isnan(p[j].ap.value))
            continue;
        least = least < 0 || p[j].ap.value < p[least].ap.value ? j : least;
        most = most < 0 || p[j].ap.value > p[most].ap.value ? j : most;
    }
    if (least < 0) {
        say(s, "Not estimable: no disorder has a recorded treatment and another drug.");
        return;
    }
    say(s, "Average precision (%s) from %.3f (%s, prevalence %.3f) to %.3f (%s, prevalence %.3f).", nep_protocol_name(s->p), p[least].ap.value,
        s->r->disorders[least].name, p[least].prevalence, p[most].ap.value, s->r->disorders[most].name, p[most].prevalence);
    if (s->e->conformal)
        say(s, " Sets at %.0f %%: coverage %.2f on average, %.2f in the least covered disorder, %lld disorders below beyond chance; %.0f %% of all drugs.",
            100 * s->e->conformal_level, s->e->conformal_coverage, s->e->conformal_min, (long long)s->e->conformal_failing, 100 * s->e->conformal_size);
}

static void fill_interpretation(source *s)
{
    bool any = false;
    for (int i = 0; i < s->e->n_baselines; i++) {
        const nep_evaluation_score *b = &s->e->baselines[i];
        const nep_estimate *g = &b->gain[s->p];
        if (!b->run[s->p] || isnan(g->value) || b->upper_bound)
            continue;
        say(s, "%s%s %+.3f (%+.3f to %+.3f)", any ? ", " : "Gain in average precision over: ", b->name, g->value, g->low, g->high);
        any = true;
    }
    say(s, "%s", any ? ". An interval that holds 0 is no gain." : "");
}

static void fill_limits(source *s)
{
    bool direction = false;
    for (int c = 0; c < s->r->n_channels; c++)
        direction = direction || strcmp(s->r->channels[c]->name, "direction") == 0;
    say(s, "Known to the program: labels are incomplete and record use, not efficacy; drugs known by few channels have wide intervals; what is known of a "
           "drug's targets partly came from the disorder it treats; %s; intervals do not cover a wrong model.",
        direction ? "the tables of directions and worsening drugs are not independent of the labels"
                  : "the direction of a drug's action does not enter");
}

static void fill_inputs(source *s)
{
    say(s, "Unknown ids, repeated edges and missing tables are named and refused or counted; a drug of which no channel speaks gets no score, never a "
           "low one.");
}

static void fill_code(source *s)
{
    say(s, "nepenthe %s, Apache-2.0; command, parameters and seed %llu in the provenance; the same bytes on any number of threads.", NEP_VERSION,
        (unsigned long long)s->e->seed);
}

typedef enum { FILLED, PARTLY, AUTHORS, NOT_APPLICABLE } state;

#define D "development"
#define E "evaluation"
#define BOTH "both"

static const struct {
    const char *item, *section, *topic, *applies;
    state state;
    void (*fill)(source *s);
    const char *rest; /* what stands there besides, or who must add what */
} points[] = {
    {"1", "title", "Title", BOTH, PARTLY, fill_title, "Authors: the title itself."},
    {"2", "abstract", "Abstract", BOTH, AUTHORS, NULL, "Authors: by TRIPOD+AI for Abstracts."},
    {"3a", "introduction", "Context and rationale", BOTH, AUTHORS, NULL, "Authors: the medical context, why a model is wanted, and models that exist."},
    {"3b", "introduction", "Target population, purpose, users", BOTH, FILLED, fill_use, NULL},
    {"3c", "introduction", "Known health inequalities", BOTH, AUTHORS, NULL, "Authors: those known between groups of people, and disorders that have been studied less."},
    {"4", "introduction", "Objectives", BOTH, FILLED, fill_objectives, NULL},
    {"5a", "methods", "Sources of data", BOTH, PARTLY, fill_sources, "Authors: why these, and whom they represent."},
    {"5b", "methods", "Dates", BOTH, PARTLY, fill_dates, "Authors: the dates of the sources."},
    {"6a", "methods", "Setting and centres", BOTH, NOT_APPLICABLE, NULL, "No participants."},
    {"6b", "methods", "Eligibility", BOTH, FILLED, fill_eligible, NULL},
    {"6c", "methods", "Treatments received", BOTH, NOT_APPLICABLE, NULL, "No participants; the drugs are the units."},
    {"7", "methods", "Data preparation and checks", BOTH, FILLED, fill_checks, NULL},
    {"8a", "methods", "Outcome and time horizon", BOTH, PARTLY, fill_outcome, "Authors: why this outcome."},
    {"8b", "methods", "Who assessed the outcome", BOTH, AUTHORS, NULL, "Authors: who made the label tables, with what training; each row names its source."},
    {"8c", "methods", "Blinding of the outcome", BOTH, FILLED, fill_blinding, NULL},
    {"9a", "methods", "Choice of predictors", D, FILLED, fill_predictors, NULL},
    {"9b", "methods", "Definition of predictors", BOTH, PARTLY, NULL, "Definition, orientation and source of every channel: `nepenthe channels`, and the methods of the report. "
                                                                     "Authors: when the sources measured what they hold."},
    {"9c", "methods", "Who assessed predictors", BOTH, NOT_APPLICABLE, NULL, "Computed, not judged; tables that people rated are named in the study."},
    {"10", "methods", "Sample size", BOTH, PARTLY, fill_size, "Authors: whether that suffices for their question."},
    {"11", "methods", "Missing data", BOTH, FILLED, fill_missing, NULL},
    {"12a", "methods", "Use and division of the data", D, FILLED, fill_division, NULL},
    {"12b", "methods", "Form and scaling of predictors", D, FILLED, fill_preparation, NULL},
    {"12c", "methods", "Type of model, how it was built and checked", D, FILLED, fill_model, NULL},
    {"12d", "methods", "Differences between clusters", BOTH, FILLED, fill_heterogeneity, NULL},
    {"12e", "methods", "Measures of performance", BOTH, FILLED, fill_measures, NULL},
    {"12f", "methods", "Updating", E, FILLED, fill_updating, NULL},
    {"12g", "methods", "How predictions were made", E, FILLED, fill_prediction, NULL},
    {"13", "methods", "Class imbalance", BOTH, FILLED, fill_imbalance, NULL},
    {"14", "methods", "Fairness", BOTH, PARTLY, fill_fairness, "Authors: whom the records leave out."},
    {"15", "methods", "Output of the model and its thresholds", D, FILLED, fill_output, NULL},
    {"16", "methods", "Training against evaluation", BOTH, FILLED, fill_differences, NULL},
    {"17", "methods", "Ethical approval", BOTH, AUTHORS, NULL, "Authors: approval and consent, or why none was needed."},
    {"18a", "open science", "Funding", BOTH, AUTHORS, NULL, "Authors: who paid, and what part the funders had."},
    {"18b", "open science", "Conflicts of interest", BOTH, AUTHORS, NULL, "Authors: those of each author, or none."},
    {"18c", "open science", "Protocol", BOTH, PARTLY, NULL, "The study file declares the primary analysis; its hash is in the provenance. Authors: where it was deposited, and when."},
    {"18d", "open science", "Registration", BOTH, AUTHORS, NULL, "Authors: register and number, or that there is none."},
    {"18e", "open science", "Data sharing", BOTH, PARTLY, NULL, "Licence and hash of each input: provenance. Authors: where others get them."},
    {"18f", "open science", "Code sharing", BOTH, FILLED, fill_code, NULL},
    {"19", "patient and public involvement", "Patient and public involvement", BOTH, AUTHORS, NULL, "Authors: what there was, or that there was none."},
    {"20a", "results", "Flow, with and without the outcome", BOTH, FILLED, fill_flow, NULL},
    {"20b", "results", "Characteristics", BOTH, FILLED, fill_characteristics, NULL},
    {"20c", "results", "Evaluation against development data", E, PARTLY, fill_compared, "Authors: the channels' values by disorder, from candidates.json of `rank` (key value)."},
    {"21", "results", "Numbers in each analysis", BOTH, FILLED, fill_development, NULL},
    {"22", "results", "The model in full", D, FILLED, fill_specification, NULL},
    {"23a", "results", "Performance", BOTH, FILLED, fill_performance, NULL},
    {"23b", "results", "Differences between clusters", BOTH, FILLED, fill_between, NULL},
    {"24", "results", "Results of updating", E, FILLED, fill_updating, NULL},
    {"25", "discussion", "Interpretation", BOTH, PARTLY, fill_interpretation, "Authors: what it means, beside earlier studies and for whom."},
    {"26", "discussion", "Limitations", BOTH, PARTLY, fill_limits, "Authors: those of their question, and each decision that followed a look at results."},
    {"27a", "discussion", "Poor or missing input in use", D, FILLED, fill_inputs, NULL},
    {"27b", "discussion", "Interaction and expertise of users", D, FILLED, NULL, "A pharmacologist reads reasons, counter-evidence and source rows of each candidate before anything follows from it."},
    {"27c", "discussion", "Next steps", BOTH, AUTHORS, NULL, "Authors: the studies to follow, and where the ranking should not be carried over."},
};

static source open_source(const nep_evaluation *e, char *text, size_t size)
{
    source s = {.e = e, .r = e->ranking, .in = e->ranking->inputs, .learned = e->ranking->fusion == NEP_FUSION_HIERARCHICAL, .text = text, .size = size};
    s.drugs = s.in->n_drugs;
    s.disorders = e->n_disorders;
    s.context = nep_inputs_listed(s.in) - nep_inputs_ranked(s.in);
    s.others = s.in->n_disorders - nep_inputs_listed(s.in);
    while (s.votes < s.r->n_channels && s.r->channels[s.votes]->role == NEP_ROLE_VOTE)
        s.votes++;
    while (s.p < NEP_PROTOCOL_COUNT - 1 && !e->fused.run[s.p])
        s.p++;
    for (int64_t j = 0; e->fused.run[s.p] && j < s.disorders; j++) {
        s.treatments += e->fused.disorders[s.p][j].n_pos;
        s.negatives += e->fused.disorders[s.p][j].n_neg;
    }
    return s;
}

json_t *nep_tripod_points(const nep_evaluation *e)
{
    static const char *const states[] = {"filled from the run", "partly; authors complete it", "authors fill it in", "not applicable"};
    int bad = 0;
    char text[4096];
    source s = open_source(e, text, sizeof text);
    json_t *array = json_array();
    for (int i = 0; i < NEP_LEN(points); i++) {
        json_t *o = json_object();
        text[0] = '\0';
        if (points[i].fill)
            points[i].fill(&s);
        if (points[i].rest)
            say(&s, "%s%s", text[0] ? " " : "", points[i].rest);
        DOC_PUT(o, "item", json_string(points[i].item));
        DOC_PUT(o, "section", json_string(points[i].section));
        DOC_PUT(o, "topic", json_string(points[i].topic));
        DOC_PUT(o, "applies", json_string(points[i].applies));
        DOC_PUT(o, "status", json_string(states[points[i].state]));
        DOC_PUT(o, "text", nep_doc_text(text));
        DOC_ADD(array, o);
    }
    DOC_END(array);
}

nep_status nep_tripod_write(nep_ctx *ctx, const json_t *evaluation, const char *path)
{
    static const char *const keys[] = {"item", "section", "topic", "applies", "status", "text"};
    nep_file *f = NULL;
    size_t i;
    json_t *o;
    nep_status st;
    NEP_REQUIRE(ctx, evaluation && path, NEP_E_ARG, "report: no evaluation, or no file to write TRIPOD+AI to");
    NEP_TRY_OR_DONE(st, nep_file_create(ctx, path, &f));
    NEP_TRY_OR_DONE(st, nep_file_printf(f, "item\tsection\ttopic\tapplies\tstatus\ttext\n"));
    json_array_foreach(json_object_get(evaluation, "tripod_ai"), i, o)
        for (int k = 0; k < NEP_LEN(keys); k++)
            NEP_TRY_OR_DONE(st, nep_file_printf(f, "%s%c", nep_doc_get_text(o, keys[k]), k + 1 < NEP_LEN(keys) ? '\t' : '\n'));
    st = nep_file_commit(f);
    f = NULL;
done:
    nep_file_abort(f);
    return st;
}
