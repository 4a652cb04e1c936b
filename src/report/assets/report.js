/* report.js - the sections of the report, in the order in which a reader should meet them. */
'use strict';

/* The thresholds come with the data: the page states the rule that was applied. */
const RULES = data.rules || {};
const LEARNED = data.fusion === 'hierarchical';
const SUPPORT = LEARNED ? `ten times the odds of the disorder’s average drug (score at least ${num(RULES.score)})` :
                          `score at least ${RULES.score} (the upper 5 % of a ranking without signal)`;
const VERDICT_TEXT = {
  contraindicated: 'recorded as contraindicated, or as failed for harm, or known to make this disorder worse; it keeps its rank so that it can be seen',
  gated: `the gate of exposure excludes it: entry into the brain (measured blood-brain ratio, else CNS MPO, the multiparameter optimisation score for drugs of the central nervous system) below ${RULES.gate} of 6, and no disorder of this study records the drug`,
  insufficient: data.has_map ?
      `no voting channel speaks, or the coverage gate failed (fewer than ${
          RULES.min_targets} measured targets with a map, or the strongest target has none); this is no evidence against the drug` :
      'no voting channel speaks; this is no evidence against the drug',
  supported: SUPPORT + ' with its interval above 0, not recorded as failed, not acting the opposite way' +
      (data.has_map ? `, and either the image adds for this disorder or the score without engagement reaches ${RULES.score} as well` : ''),
  weak: 'there is evidence, but it does not meet the rule for supported',
};
const VERDICT_ORDER = ['contraindicated', 'gated', 'insufficient', 'supported', 'weak'];
const IMAGING_TEXT = {
  adds: 'the image adds to the ranking beyond surrogate maps (Holm-corrected p at most 0.05, gain above 0)',
  no_signal: 'no signal, and this design would have seen one of the size that the methods below call relevant',
  undetermined: 'too little power to tell: this is neither a finding nor its absence',
};

const SCORE_TEXT = LEARNED ?
    'Log odds of being a recorded treatment, above those of the disorder’s average drug: 0 is as likely as that drug, +0.7 twice its odds, +2.3 ten times, +4.6 a hundred times. It says how like a treatment the drug’s evidence looks; it is no effect size and no probability that the drug works.' :
    'Each voting channel turns its values into normal scores within the disorder; the score is their sum over its standard deviation (Stouffer). 0 is the middle of the field, +2 is far up. It orders drugs; it is no effect size and no probability.';

let viewer = null, maps = null, candidates = null;

const evaluated = (disorder, protocol = 'masked') => {
  const p = data.evaluation && data.evaluation.protocols && data.evaluation.protocols[protocol];
  return p && (p.disorders || []).find((d) => d.id === disorder.id);
};

/* What counts as found in a disorder's figures: its labels, or the truth of a simulated one. */
const measuredBy = (disorder, n) =>
    plural(n, disorder.by_truth ? 'relevant drug' : 'recorded treatment') + (disorder.by_truth ? ' (simulated truth)' : '');

function baselineTicks(disorder, protocol = 'masked') {
  return Object.entries((data.evaluation && data.evaluation.baselines) || {})
      .map(([name, b]) => {
        const own = b[protocol] && (b[protocol].disorders || []).find((d) => d.id === disorder.id);
        return {name: nice(name), value: own ? estimate(own.auroc).value : NaN};
      })
      .filter((t) => known(t.value));
}

function imagingFacts(disorder) {
  const g = disorder.imaging, e = evaluated(disorder), auroc = e ? estimate(e.auroc) : null,
        none = e && e.map_null ? e.map_null : {};
  const ticks = baselineTicks(disorder);
  return [
    facts([
      [
        'gain in average precision by the image',
        known(g.delta.value) ?
            [
              h('b', {}, signed(g.delta.value, 3)),
              known(g.delta.low) ? ` (90 % interval ${signed(g.delta.low, 3)} to ${signed(g.delta.high, 3)})` : ''
            ] :
                                   `not estimable: ${measuredBy(disorder, g.delta.n || 0)} with evidence, ${
                RULES.min_pos} needed; the map alone was tested`
      ],
      [
        known(g.delta.value) ? 'smallest gain that would have been seen' :
                               'smallest correlation with one drug’s map that would have been seen',
        known(g.detectable) ? num(g.detectable, known(g.delta.value) ? 3 : 2) + ' (power 0.8)' : '–'
      ],
      [
        (g.p_map_by_null || []).length > 1 ? 'p against surrogate maps, the larger of two families' : 'p against surrogate maps',
        pvalue(g.p_map) + (known(g.p_holm) ? ` (Holm ${pvalue(g.p_holm)})` : '') + familyList(g)
      ],
      e ? ['measured with, of drugs with any score', `${measuredBy(disorder, e.n_pos)} among ${whole(e.n_pos + e.n_neg)}`] : null,
      known(disorder.truth_auroc) ?
          [
            'recovery of the planted truth',
            `AUROC ${num(disorder.truth_auroc)}, ${percent(disorder.truth_recall10)} of it among the first ten`
          ] :
          null,
    ]),
    auroc && known(auroc.value) ?
        h('figure', {class: 'wide'}, againstNull({
            ...auroc,
            nullLow: none.low,
            nullHigh: none.high,
            ticks,
            label: `AUROC ${interval(auroc)}; null maps ${num(none.low)} to ${num(none.high)}`
          }),
          h('figcaption', {}, `AUROC ${interval(auroc)} with similar drugs masked.`,
            known(none.low) ? ` Grey: what surrogate maps give (${num(none.low)} to ${num(none.high)}).` : '',
            ticks.length ? ' Triangles: baselines (' + ticks.map((t) => `${t.name} ${num(t.value)}`).join(', ') + ').' : '')) :
        null,
  ];
}

function trustCard(disorder) {
  return h(
      'article', {class: 'card trust-card imaging-edge-' + disorder.imaging.verdict},
      h('h3', {}, disorder.name, h('span', {class: 'muted'}, ' ' + disorder.id),
        disorder.simulated ? h('span', {class: 'simulated-tag'}, 'simulated') : null),
      h('p', {class: 'verdict-line'}, badge(disorder.imaging.verdict, 'imaging'),
        h('span', {}, IMAGING_TEXT[disorder.imaging.verdict] || '')),
      disorder.trust ? h('p', {class: 'trust-sentence'}, disorder.trust) : null, imagingFacts(disorder));
}

/* A button that opens a candidate's details. */
const opener = (disorder, c) => {
  const b = h('button', {type: 'button', class: 'open', onclick: () => openDrawer(disorder, c, b)}, c.name);
  return b;
};

/* How well recorded treatments were found when they and drugs like them were hidden, against chance. */
function foundLine(disorder) {
  const e = evaluated(disorder), ap = e ? estimate(e.ap) : {}, ns = e ? estimate(e.auroc_vs_ns) : {};
  return e && known(ap.value) ?
      [
        'Tested harder than the order shown, with the records of similar drugs hidden beside the drug’s own: average precision ', h('b', {}, interval(ap, 2)),
        ` (chance ${num(e.prevalence, 2)}, ${measuredBy(disorder, e.n_pos)})`,
        known(ns.value) ? [', AUROC against other drugs for the central nervous system (CNS) ', h('b', {}, interval(ns, 2))] : null, '.'
      ] :
      'How well this finds treatments was not measured in this run.';
}

/* No drug is marked as making it worse: said as the gap that it is. */
function nothingWorsens(disorder) {
  const r = disorder.records || {}, elsewhere = r.known_to_worsen_elsewhere || 0;
  return `No drug is on record as making ${disorder.name} worse: the table of such drugs has no row for it${
      elsewhere ? ` (${plural(elsewhere, 'row')} for other disorders of the study)` : ''}, and the labels record no contraindication. ` +
      'So nothing here was lowered or marked for it, and a drug that worsens it may stand at the top: look up labels and reports of harm before anything follows.';
}

function worseningLine(disorder) {
  const list = disorder.labelled.filter((l) => l.status === 'contraindicated' && l.scored),
        opposed = disorder.candidates.filter((c) => c.flags.includes('opposite_direction') && c.verdict !== 'contraindicated').length,
        others = opposed ? ` ${plural(opposed, 'other drug')} ${opposed === 1 ? 'acts' : 'act'} the opposite way of its treatments and lost half the odds or more.` : '';
  if (!list.length) return [h('b', {}, nothingWorsens(disorder)), others];
  const high = list.filter((l) => l.rank <= disorder.scored / 10);
  return [
    `${plural(list.length, 'drug')} known to worsen it: median rank ${whole(median(list.map((l) => l.rank)))} of ${
        whole(disorder.scored)}; `,
    high.length ? [
      `${high.length === 1 ? 'one is' : high.length + ' are'} still in the first tenth, because ${
          high.length === 1 ? 'it looks' : 'they look'} like treatments in all but direction: `,
      high.slice(0, 4).map((l) => `${l.name} (${whole(l.rank)})`).join(', '), high.length > 4 ? ' …' : '', '. '
    ] :
                  'none is in the first tenth. ',
    'All are marked contraindicated, wherever they stand.', others
  ];
}

/* The two channels that give most, with the row behind each. */
function forLine(c) {
  return chosen(c).filter((i) => c.parts[i] > 0 && data.channels[i].role === 'VOTE').slice(0, 2).map((i) => {
    const first = ((c.detail.reasons || {})[data.channels[i].name] || []).find((r) => !/further paths?$|^all others$/.test(r.label));
    return `${nice(data.channels[i].name)} ${signed(c.parts[i], 1)}` + (first && Math.abs(first.part) >= 0.1 ? ` (most from ${first.label}, ${signed(first.part, 1)})` : '');
  }).join(', ');
}

/* What speaks against a drug, short; and of what nothing is on record, so that nothing found is not taken for safe. */
const againstLine = (text) => prose(text).replace(
    /^none found among .*?(?:; not looked into, as the study records none for this disorder: (.*))?$/,
    (all, empty) => 'none found' + (empty ? `; for this disorder the study records no ${empty.replace(/, /g, ', no ')}` : ''));

/* The evidence that could be had and would move it furthest. */
function moveLine(c) {
  const m = ((c.detail || {}).moves || []).find((x) => x.obtainable);
  return m ? `${prose(m.evidence)}: ${moveTo(c, m)}` : null;
}

const chance = (c) => {
  const d = c.detail || {};
  return share(c.recorded) + (known(d.p_recorded_low) ? `, 90\u202f% interval ${share(d.p_recorded_low)} to ${share(d.p_recorded_high)}` : ', no interval');
};

/* The first screen: what is new, what speaks against it, and how far to trust it. */
function shortCard(disorder) {
  const fresh = disorder.candidates.filter((c) => known(c.score) && !c.label && c.verdict !== 'contraindicated').slice(0, 5),
        good = disorder.labelled.filter((l) => STATUS_CLASS[l.status] === 'approved' && l.scored);
  const top = disorder.candidates.slice(0, 10).filter((c) => STATUS_CLASS[c.label] === 'approved').length;
  return h(
      'article', {class: 'card short-card'},
      h('h3', {}, disorder.name, disorder.simulated ? h('span', {class: 'simulated-tag'}, 'simulated') : null),
      h('p', {},
        good.length ? `${top} of the first 10 are recorded treatments, of ${good.length} that are ranked; no drug’s own record counts for it. The first that are not recorded:` :
                      'No treatment is recorded. The first candidates:'),
      h('ol', {class: 'fresh'},
        fresh.map(
            (c) => h(
                'li', {}, opener(disorder, c),
                h('span', {class: 'muted'},
                  ` rank ${whole(c.rank)}` + (known(c.rankLow) ? ` (${whole(c.rankLow)} to ${whole(c.rankHigh)})` : '') +
                      (known(c.recorded) ? `; probability of being a recorded treatment ${chance(c)}` : '')),
                c.detail && forLine(c) ? h('span', {class: 'under'}, 'for: ' + forLine(c)) : null,
                c.detail && c.detail.counter ?
                    h('span', {class: 'under'}, 'against: ', againstLine(c.detail.counter)) :
                    null,
                moveLine(c) ? h('span', {class: 'under'}, 'would move it: ' + moveLine(c)) : null))),
      h('p', {class: 'fact'}, foundLine(disorder)), h('p', {class: 'fact'}, worseningLine(disorder)));
}

function reportShort() {
  return section(
      'short', 'In short', data.imaging && data.imaging.summary ? h('p', {class: 'imaging-summary'}, data.imaging.summary) : null,
      h('p', {class: 'note'}, 'Hypotheses for a pharmacologist to judge, not advice. ', SCORE_TEXT),
      h('p', {class: 'note'}, 'Average precision: the mean over treatments of the share of treatments among the drugs that stand as high or higher; chance is their share among all. AUROC (area under the receiver operating characteristic curve): how often a treatment stands above another drug; chance is 0.5. Brackets hold 90\u202f% intervals. ', h('a', {href: '#terms'}, 'All terms.')),
      h('div', {class: 'cards'}, data.disorders.map(shortCard)),
      h('details', {class: 'fold'}, h('summary', {}, h('b', {}, 'What the channels are')),
        facts(data.channels.filter((c) => c.role === 'VOTE' || c.role === 'GATE')
                  .map((c) => [nice(c.name) + (c.role === 'GATE' ? ' (gate)' : ''), c.summary]))));
}

function nullRates(rates) {
  if (!rates.length) return h('p', {class: 'note'}, 'The false-positive rate of the nulls was not measured in this run.');
  return table(
      [
        'null model', {label: 'nominal', number: true}, {label: 'measured rate', number: true},
        {label: '90 % interval', number: true}, {label: 'maps', number: true}
      ],
      rates.map((r) => [nice(r.name), num(r.alpha), num(r.rate, 3), `${num(r.low, 3)} to ${num(r.high, 3)}`, whole(r.n_maps)]), {
        caption: 'How often each null calls a map without any signal significant, at this parcellation',
        label: 'false-positive rates'
      });
}

function macroBaselines(evaluation, protocol = 'masked') {
  const p = evaluation && evaluation.protocols && evaluation.protocols[protocol];
  if (!p) return null;
  const rows = [['this ranking', p.macro || {}]].concat(
      Object.entries(evaluation.baselines || {})
          .filter(([, b]) => b[protocol])
          .map(
              ([name, b]) => [nice(name) + (b.upper_bound ? ' (upper bound, no rival)' : ''), b[protocol].macro || b[protocol]]));
  const columns = [
    ['ap', 'average precision', 3], ['auroc', 'AUROC', 2],
    ['auroc_vs_ns', 'AUROC vs CNS drugs', 2, 'recorded treatments against other nervous-system drugs only'],
    ['auroc_vs_popularity', 'AUROC vs matched', 2, 'each recorded treatment against drugs as widely used and as widely studied'],
    ['auroc_vs_failed', 'AUROC vs failed', 2, 'recorded treatments against drugs recorded as failed or contraindicated']
  ].filter(([key], i) => i < 2 || rows.some(([, m]) => known(estimate(m[key]).value)));
  return table(
      ['order by', ...columns.map(([, label, , title]) => ({label, number: true, title}))],
      rows.map(([name, m]) => [name, ...columns.map(([key, , digits]) => measured(estimate(m[key]), digits))]),
      {
        caption: `Against the baselines, protocol “${nice(protocol)}”, mean over disorders with 90 % intervals. A dash: the channel is silent under this protocol. All tie: it tells no drug from another, or the drugs were matched by it`,
        label: 'baselines'
      });
}

/* Every protocol of the run with what it hides, its measures and the baselines under it; folded. */
function protocolList(ev) {
  return Object.entries(ev.protocols || {})
      .map(
          ([name, p]) => h(
              'details', {class: 'fold'},
              h('summary', {}, h('b', {}, nice(name)), ': ', p.definition || '', '.', known(estimate((p.macro || {}).ap).value) ?
                    ` Average precision ${interval(estimate(p.macro.ap), 3)}.` : ''),
              macroBaselines(ev, name)));
}

const CALIBRATION_TEXT =
    'Of the drugs given a probability, how many are recorded: observed over expected should be 1, the slope 1. Above 1 the probabilities are too low, below 1 too high. The Brier score is the mean squared error of the probabilities. No interval was computed for these four; nepenthe evaluate draws the calibration curve with one for each point.';

function calibrationTable(ev) {
  const c = ev.calibration || {}, by = Object.entries(c.by_protocol || {});
  const rows = by.length ? by : c.pooled ? [['pooled', c.pooled]] : [];
  return rows.length ?
      table(
          [
            'probabilities under', {label: 'observed / expected', number: true}, {label: 'slope', number: true},
            {label: 'Brier', number: true}, {label: 'Brier of the prevalence', number: true}
          ],
          rows.map(([name, x]) => [nice(name), num(x.oe), num(x.slope), num(x.brier, 4), num(x.brier_null, 4)]),
          {caption: CALIBRATION_TEXT, label: 'calibration'}) :
      null;
}

/* What the sets mean, in words, with what they reached. */
function conformalText(ev) {
  const c = ev.conformal || {}, level = percent(c.level);
  if (!known(c.coverage)) return null;
  return `A set of drugs is drawn for each disorder so that it should hold ${level} of its treatments, those not yet recorded included. Asked of the recorded ones it held ${
      percent(c.coverage)} on average over the disorders, ${percent(c.coverage_min)} in the worst, and it is ${
      percent(c.size)} of all drugs: a list to search in, not a shortlist. ` +
      (known(c.failing) ? (c.failing === 0 ? 'No disorder falls below ' + level + ' beyond chance. ' :
                                             `${plural(c.failing, 'disorder')} fall below ${level} beyond chance. `) : '') +
      'Disorders with ten treatments or more set their own bound, each treatment by the others, which makes their coverage near the promise by construction: the size tells how much is known. For the others the promise holds on average over disorders, not for each.';
}

function conformalTable(ev) {
  const list = ((ev.conformal || {}).disorders || []);
  const mine = list.filter((s) => data.kind !== 'report' || data.disorders.some((d) => d.id === s.id));
  return mine.length ?
      table(
          [
            'disorder', {label: 'treatments held', number: true}, {label: 'coverage, 95 % interval', number: true},
            {label: 'share of all drugs', number: true}, 'bound set by'
          ],
          mine.map((s) => [data.kind === 'report' ? data.disorders.find((d) => d.id === s.id).name : disorderName(ev, s.id),
                           `${whole(s.covered)} of ${whole(s.n_pos)}`,
                           `${percent(s.coverage)} (${percent(s.low)} to ${percent(s.high)})`, percent(s.size), s.bound]),
          {label: 'conformal sets'}) :
      null;
}

function testedSection(ev) {
  return section(
      'trust', data.has_map ? 'How far can this ranking be trusted?' : 'How it was tested',
      data.has_map ? h('div', {class: 'cards'}, data.disorders.map(trustCard)) :
                     h('p', {class: 'note'}, 'No brain image enters this ranking.'),
      ev ? [
        macroBaselines(ev), h('h3', {}, 'Protocols'),
        h('p', {class: 'note'},
          'What was hidden before a drug was scored. Each disorder’s weights come from the other disorders. The intervals redraw disorders and drugs.'),
        protocolList(ev), calibrationTable(ev),
        conformalText(ev) ? h('details', {class: 'fold'}, h('summary', {}, h('b', {}, 'Sets that should hold 90 % of the treatments'), `: ${
                                percent(ev.conformal.size)} of all drugs on average`), h('p', {}, conformalText(ev)), conformalTable(ev)) : null,
      ] :
           h('p', {class: 'note'},
             'This ranking was not evaluated in this run, so the page cannot say how well it finds recorded treatments. `nepenthe evaluate` on the same study measures it.'),
      data.has_map || data.null_rates.length ? nullRates(data.null_rates) : null);
}

/* The reporting guideline, filled in from the run. */
function tripodSection(ev) {
  const list = (ev && ev.tripod_ai) || [], count = (word) => list.filter((p) => p.status.startsWith(word)).length;
  return list.length ?
      section(
          'tripod', 'TRIPOD+AI',
          h('p', {},
            `Of the ${list.length} points of the guideline for reporting prediction models (Transparent Reporting of a multivariable prediction model for Individual Prognosis Or Diagnosis, with artificial intelligence) this run fills in ${count('filled')} and parts of ${count('partly')}; authors must fill in ${
                count('authors')}, and ${count('not')} do not apply, since drugs and not patients are ranked. nepenthe evaluate writes the table as tripod_ai.tsv. `,
            cited('Collins et al. (2024) BMJ 385:e078378, doi:10.1136/bmj-2023-078378.')),
          h('details', {class: 'fold'}, h('summary', {}, h('b', {}, 'All points')),
            table(
                ['point', 'topic', 'applies to', 'who', 'text'],
                list.map((p) => [p.item, p.topic, p.applies || '–', p.status, cited(p.text)]), {label: 'TRIPOD+AI', class: 'plain tripod'}))) :
      null;
}

/* A sentence per other way to fuse, and its furthest drugs. */
function disagreementCard(disorder) {
  const list = disorder.disagreement || [];
  return h(
      'article', {class: 'card'}, h('h3', {}, disorder.name),
      list.map(
          (o) => h(
              'p', {class: 'fact'}, h('b', {}, OPINION_TEXT[o.name] || nice(o.name)),
              `: ${o.shared} of the first ${o.top} are the same, rank correlation ${num(o.spearman)}. `,
              o.gated ? `${o.gated} of its first ${o.top} are held down here by the gate of direction, which it does not know. ` : '',
              o.furthest.length ? [
                'Furthest apart: ',
                o.furthest.map((f, i) => [i ? '; ' : '', h('b', {}, f.name), ` ${whole(f.rank)} here, ${num(f.other, 0)} there (${prose(f.why)})`]), '.'
              ] :
                                  `No drug of either’s first ${o.top} stands twice as far down in the other.`)));
}

function disagreementSection() {
  if (!data.disorders.some((d) => (d.disagreement || []).length)) return null;
  return section(
      'disagree', 'Where other ways to fuse disagree',
      h('p', {class: 'note'},
        'The same channels, put together otherwise: the plain mean of normal scores (nothing to tune), robust rank aggregation (one surprising list suffices)' +
            (LEARNED ? ', and the elastic net (one weight per channel for all disorders)' : '') +
            '. A candidate that only one of them puts on top rests on a choice of method.'),
      h('div', {class: 'cards'}, data.disorders.map(disagreementCard)));
}

/* What each channel is worth in the model of each disorder. */
function weightTable() {
  const shown = data.disorders.filter((d) => d.weights);
  if (!shown.length) return null;
  return h(
      'details', {class: 'fold'}, h('summary', {}, h('b', {}, 'Weights of the channels')),
      table(
          ['channel', ...shown.map((d) => ({label: d.name, number: true}))],
          Object.keys(shown[0].weights)
              .map((c) => [nice(c), ...shown.map((d) => `${num(d.weights[c].weight)} ± ${num(d.weights[c].spread)}`)]),
          {caption: 'log odds per standard deviation of the channel, learned from the other disorders; ± is how far that weight differs between disorders (a standard deviation), no interval of the weight itself', label: 'weights'}));
}

function candidateSection() {
  candidates = createCandidates(data.disorders);
  return section(
      'candidates', 'Candidates', candidates.node,
      h('details', {class: 'explain', open: !LEARNED}, h('summary', {}, 'What each number and word means'), facts([
          ['score', SCORE_TEXT],
          [
            'intervals',
            LEARNED ?
                '90 %. The model is refitted on redrawn drugs and disorders and the channels’ inputs are redrawn within their errors, a tenth of the records forgotten; so a score often stands above the middle of its interval. They do not cover a wrong model.' :
                '90 %. The ranking is repeated with maps, affinities, receptor maps and labels redrawn within their errors. They do not cover a wrong model.'
          ],
          ['P(top 10)', 'share of those redraws in which the drug stands among the first ten.'],
          ['contributions', 'what each voting channel adds to the score; the pieces sum to it.'],
          [
            'coverage',
            (data.has_map ? 'the ring: share of the targets with a receptor map for which this drug has a measured affinity; then the ' : 'the ') +
                'voting channels that have evidence. Missing is not zero.'
          ],
          [
            'baselines',
            'percentile of the drug when ordered by each baseline alone. A candidate that every baseline also puts on top is no discovery' + (data.has_map ? ' of the image.' : '.')
          ],
          ['verdict', 'the first of these that applies:'],
          ...VERDICT_ORDER.map((v) => [badge(v, 'verdict'), VERDICT_TEXT[v]]),
        ])),
      data.detail_limit < data.drugs.length ?
          h('p', {class: 'note'},
            `To keep this page small, target rows and reasons are here for the best ${
                whole(
                    data.detail_limit)} drugs of each disorder and for all labelled ones; the rest stands in candidates.json.`) :
          null);
}

function knownList(disorder, kinds, title, empty) {
  const list = disorder.labelled.filter((l) => kinds.includes(l.status));
  const many = kinds.length > 1,
        drawn = list.length ?
      table(
            [
              'drug', ...(many ? ['status'] : []), {label: 'rank', number: true},
              {label: 'from the top', number: true, title: 'its rank as a share of the drugs with a score'}, 'verdict', 'source'
            ],
            list.map(
                (l) =>
                    [l.name || l.drug_id, ...(many ? [nice(l.status)] : []),
                     l.scored ? `${whole(l.rank)} of ${whole(l.of)}` : 'no score', l.scored ? share(l.rank / l.of) : '–',
                     badge(l.verdict, 'verdict'), h('span', {class: 'source'}, l.note ? l.note + '. ' : '', cited(l.source || '–'), l.recorded ? ` (also recorded as ${nice(l.recorded)})` : '')]),
            {label: title, class: 'plain known-table'}) :
      h('p', {class: 'note'}, empty);
  return h(
      'div', {}, h('h4', {}, title),
      list.length > 4 ?
          h('details', {},
            h('summary', {},
              `${plural(list.length, 'drug')}, best first: ${
                  list.slice(0, 3).map((l) => `${l.name || l.drug_id} (${l.scored ? l.rank : 'no score'})`).join(', ')} …`),
            drawn) :
          drawn);
}

function median(x) {
  const s = x.slice().sort((a, b) => a - b), m = s.length >> 1;
  return s.length ? (s.length % 2 ? s[m] : (s[m - 1] + s[m]) / 2) : NaN;
}

function knownCard(disorder) {
  const all = disorder.labelled.filter((l) => STATUS_CLASS[l.status] === 'approved'), good = all.filter((l) => l.scored),
        tenth = disorder.scored / 10;
  const silent = all.length - good.length;
  const sentence = !all.length ? 'No treatment is recorded for this disorder.' : [
    good.length ? `${good.filter((l) => l.rank <= tenth).length} of ${
                      plural(good.length, 'recorded treatment')} with a score fell in the first tenth of the ${
                      whole(disorder.scored)} drugs that have one (chance: ${num(good.length / 10, 1)}); their median rank is ${
                      whole(median(good.map((l) => l.rank)))}. No drug’s own label counts for it. Records are taken as they stand; the sources below tell where from. ` :
                  '',
    silent ? `${plural(silent, 'recorded treatment')} ${
                 silent === 1 ? 'has' : 'have'} no score, because no voting channel speaks of ${silent === 1 ? 'it' : 'them'}.` :
             ''
  ].join('');
  return h(
      'article', {class: 'card'}, h('h3', {}, disorder.name), h('p', {}, sentence),
      disorder.labelled.some((l) => l.scored) ?
          h('figure', {class: 'wide'}, rankStrip(disorder.labelled.filter((l) => l.scored), disorder.scored),
            h('figcaption', {}, 'One line per drug with a score; the shaded part is the first tenth.')) :
          null,
      knownList(disorder, ['approved', 'symptomatic'], 'Where standard treatments fell', 'None is recorded.'),
      knownList(
          disorder, ['contraindicated'], 'Known worsening drugs',
          nothingWorsens(disorder)),
      disorder.labelled.some((l) => l.status === 'failed') ?
          [
            knownList(disorder, ['failed'], 'Drugs recorded as failed', ''),
            h('p', {class: 'note'},
              'What counts as failed is what the label table says. It may hold stopped and withdrawn trials, some for want of money or patients, and pairs that curators judged to be no indication: neither is a finding that the drug does not work. The source column has the reason where one was given.')
          ] :
          null);
}

function engagementOf(drug) {
  const pairs = data.drugs[drug].weights || [];
  return data.regions.map((r) => pairs.reduce((sum, [t, w]) => sum + w * r.receptor[t], 0));
}

function mapChoices() {
  const choices = data.disorders.filter((d) => d.map && d.map.some(known)).map((d) => ({
                                                                                 group: 'disorder maps',
                                                                                 label: `${d.name}: effect map`,
                                                                                 unit: 'effect size, patients − controls',
                                                                                 values: () => d.map
                                                                               }));
  const seen = new Set();
  for (const d of data.disorders)
    for (const c of d.candidates.filter((x) => (data.drugs[x.drug].weights || []).length).slice(0, 20))
      if (!seen.has(c.drug)) {
        seen.add(c.drug);
        choices.push({
          group: 'engagement maps of the best candidates',
          drug: c.drug,
          label: `${c.name}: engagement map`,
          unit: 'occupancy × receptor density (z)',
          values: () => engagementOf(c.drug)
        });
      }
  data.targets.filter((t) => t.mapped).forEach((t, i) => choices.push({
    group: 'receptor maps',
    label: `${t.name || t.symbol}: receptor density`,
    unit: 'density, z within compartment',
    values: () => data.regions.map((r) => (r.receptor ? r.receptor[i] : NaN))
  }));
  return choices;
}

function brainSection() {
  if (!data.brain) return null;
  const choices = mapChoices(), first = createViewer(data.brain, data.regions), second = createViewer(data.brain, data.regions);
  if (!choices.length) return null;
  const picker = (view, start) => {
    const groups = [...new Set(choices.map((c) => c.group))];
    const select =
        h('select', {
          'aria-label': 'map to show',
          onchange: () => {
            const c = choices[select.value];
            view.show(c.label, c.unit, c.values());
          }
        },
          groups.map(
              (g) =>
                  h('optgroup', {label: g},
                    choices.map((c, i) => c.group === g ? h('option', {value: i, selected: i === start}, c.label) : null))));
    view.show(choices[start].label, choices[start].unit, choices[start].values());
    view.select = select;
    return select;
  };
  const engaged = choices.findIndex((c) => c.drug !== undefined);
  viewer = {first, second};
  maps = choices;
  return section(
      'brain', 'Maps',
      h('p', {},
        'The disorder’s effect map beside a candidate’s engagement map: how strongly the drug would occupy the receptors of each region at the assumed concentration.'),
      h('div', {class: 'viewers'}, [
        [first, 0], [second, engaged >= 0 ? engaged : choices.length - 1]
      ].map(([view, start]) => h('div', {}, picker(view, start), view.node))));
}

function showEngagement(drug) {
  closeDrawer();
  viewer.second.show(
      `${data.drugs[drug].name || data.drugs[drug].id}: engagement map`, 'occupancy × receptor density (z)', engagementOf(drug));
  viewer.second.node.scrollIntoView({block: 'center'});
}

function profileFigure(disorder) {
  const rows = data.targets.map((t, i) => [t.name || t.symbol, disorder.profile ? disorder.profile[i] : NaN])
                   .filter((r) => known(r[1]))
                   .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]))
                   .slice(0, 10);
  const reach = Math.max(...rows.map((r) => Math.abs(r[1])), 1e-9);
  return rows.length ? h('div', {}, h('h4', {}, disorder.name),
                         h('ul', {class: 'reasons profile'},
                           rows.map(
                               ([name, v]) => h(
                                   'li', {}, h('span', {class: 'share'}, signed(v)),
                                   h('span', {class: 'meter ' + (v < 0 ? 'minus' : 'plus'), style: {'--w': Math.abs(v) / reach}}),
                                   h('b', {}, name))))) :
                       null;
}

function assumptionSection() {
  const s = data.settings, modes = {U: 'unsigned engagement', S: 'signed by recorded action', T: 'transmitter tone'};
  const profiles = data.disorders.map(profileFigure).filter(Boolean);
  return section(
      'assumptions', 'Assumptions', facts([
        [
          'concentration',
          `no dose is known: each drug’s strongest measured target is taken as ${
              percent(s.relative_occupancy)} occupied, the others follow from their own affinities`
        ],
        ['sign', modes[s.mode] || s.mode],
        ['score', s.score === 'A' ? 'A: correlation of maps' : 'B: agreement in units of its spread over surrogate maps'],
        ['regions', `${whole(s.n_regions)} (${s.scope === 'cortex' ? 'cortex only' : 'cortex and subcortex'})`],
        ['receptor maps', `${whole(s.n_mapped)} of ${whole(s.n_targets)} targets; from healthy adults`],
        [
          'direction',
          data.disorders
              .map(
                  (d) => `${d.name}: ${
                      d.direction > 0     ? 'increase' :
                          d.direction < 0 ? 'decrease' :
                                            'not declared, so no claim about direction'}`)
              .join('; ')
        ],
        ['surrogate maps', whole(s.n_nulls)],
        ['drugs', `${whole(s.n_drugs)} with ${whole(s.n_affinities)} affinities`],
      ]),
      profiles.length ?
          [
            h('h3', {}, 'What each map says per target'),
            h('p', {class: 'note'},
              'Receptor profile of the effect map after measurement error and ridge. The sign is that of the map; it does not tell agonists from antagonists.'),
            h('div', {class: 'cards profiles'}, profiles)
          ] :
          null);
}

function methodsSection(methods) {
  const text = (m) => h('div', {}, h('h3', {}, m.heading), h('p', {}, cited(m.text)), m.source ? h('p', {class: 'source'}, 'Source: ', cited(m.source)) : null);
  const channels = methods.filter((m) => m.heading.startsWith('Channel: '));
  return section(
      'methods', 'Methods', h('div', {class: 'prose'}, methods.filter((m) => !channels.includes(m)).map(text)), weightTable(),
      channels.length ? h('details', {class: 'fold'}, h('summary', {}, h('b', {}, `Definitions and sources of ${plural(channels.length, 'channel')}`)),
                          h('div', {class: 'prose'}, channels.map(text))) :
                        null);
}

function warningSection(warnings) {
  return section(
      'warnings', 'Errors and warnings',
      warnings.length ? h('ul', {class: 'warnings'}, warnings.map((w) => h('li', {}, w))) : h('p', {class: 'note'}, 'None.'));
}

/* Any JSON as nested definition lists. */
function tree(value) {
  if (Array.isArray(value)) {
    if (value.length && value.every((v) => v && typeof v === 'object' && !Array.isArray(v))) {
      const keys = [...new Set(value.flatMap((v) => Object.keys(v)))];
      return table(keys.map(nice), value.map((v) => keys.map((k) => tree(v[k]))), {label: 'list'});
    }
    return value.length ? value.map((v, i) => [i ? ', ' : '', tree(v)]) : 'none';
  }
  if (value && typeof value === 'object') return facts(Object.entries(value).map(([k, v]) => [nice(k), tree(v)]));
  return value === null || value === undefined ? '–' : String(value);
}

/* Kinds of edge with how many stand under which licence. */
function networkTable(edges) {
  return edges && edges.length ?
      table(
          ['edge', 'joins', {label: 'edges', number: true}, 'licences'],
          edges.map((e) => [e.id, edgeText(e), whole(e.n), e.licences.map((l) => `${l.licence} (${whole(l.n)})`).join(', ')]),
          {caption: 'Edges of the network, as the source rows name them', label: 'edges of the network'}) :
      null;
}

function provenanceSection(provenance, licences, version, edges) {
  return section(
      'provenance', 'Provenance and licences', facts([['nepenthe', version]]), tree(provenance),
      licences ?
          [
            h('h3', {}, 'Licences of the data used'),
            licences.length ?
                h('ul', {}, licences.map((l) => h('li', {}, l === 'per row' ? 'each row of the table names its own' : cited(l)))) :
                h('p', {class: 'note'}, 'None is recorded.'),
            networkTable(edges)
          ] :
          null);
}

function pageHeader(kicker, title, line) {
  return h(
      'header', {class: 'page-header'}, h('p', {class: 'brand'}, 'Nepenthe', h('span', {}, kicker)), h('h1', {}, title),
      h('p', {class: 'lede'}, line));
}

/* The menu: every section of the page, in its order. */
const pageNav = (sections) =>
    h('nav', {'aria-label': 'sections'}, sections.map(([label, node]) => h('a', {href: '#' + node.id}, label)));

function watermark() {
  return h('div', {class: 'watermark', 'aria-hidden': 'true'}, Array.from({length: 3}, () => h('span', {}, 'SIMULATED')));
}

const simulatedNote = () => h(
    'p', {class: 'simulated-banner', role: 'note'}, h('b', {}, 'Simulated data. '),
    'The brain images of this page were generated by the program. No patient was measured, and nothing here is evidence about a disorder.');

function renderReport() {
  data.disorders.forEach(unpack);
  const tested = [data.has_map ? 'Trust' : 'How tested', testedSection(data.evaluation)];
  const sections = [
    ['In short', reportShort()], data.has_map ? tested : null, ['Candidates', candidateSection()],
    [
      'Known drugs',
      section('known', 'Where standard treatments and known worsening drugs fell', h('div', {class: 'cards'}, data.disorders.map(knownCard)))
    ],
    data.has_map ? null : tested, ['Disagreement', disagreementSection()], ['Maps', brainSection()],
    ['Assumptions', data.has_map ? assumptionSection() : null], ['Methods', methodsSection(data.methods)], ['TRIPOD+AI', tripodSection(data.evaluation)],
    ['Terms', termsSection()], [`Warnings (${data.warnings.length})`, warningSection(data.warnings)],
    ['Provenance', provenanceSection(data.provenance, data.licences, data.version, data.network)]
  ].filter((x) => x && x[1]);
  return [
    pageHeader(
        'ranking report', data.study || 'Ranking',
        `${plural(data.disorders.length, 'disorder')} · ${plural(data.drugs.length, 'drug')} · ${
            data.has_map ? plural(data.settings.n_regions, 'region') + ' · ' : ''}${
            plural(data.channels.filter((c) => c.role === 'VOTE').length, 'voting channel')} · seed ${
            data.settings.seed} · version ${data.version}`),
    pageNav(sections), h('main', {}, data.simulated ? simulatedNote() : null, sections.map(([, node]) => node)),
    h('footer', {},
      'A ranking of hypotheses for research. It is not medical advice, and a rank is no evidence of efficacy or safety in people.'),
  ];
}
