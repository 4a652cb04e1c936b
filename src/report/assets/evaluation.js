/* evaluation.js - the page of an evaluation: protocols, baselines, disorders against their null maps, calibration, ablation. */
'use strict';

const METRICS = [
  ['ap', 'average precision', 3], ['auroc', 'AUROC', 2], ['auroc_vs_ns', 'vs CNS drugs', 2],
  ['auroc_vs_popularity', 'vs matched', 2], ['auroc_vs_failed', 'vs failed', 2],
  ['bedroc20', 'BEDROC (20)', 2], ['p_at_20', 'precision at 20', 2], ['ndcg_at_20', 'NDCG at 20', 2]
];

/* A name for an id, from whichever protocol lists it. */
function disorderName(ev, id) {
  for (const p of Object.values(ev.protocols || {})) {
    const found = ((p && p.disorders) || []).find((d) => d.id === id);
    if (found && found.name) return found.name;
  }
  return id;
}

const macroOf = (p) => (p && p.macro) || {};
const numbered = (label, title) => ({label, number: true, title});

function macroTable(ev, name, protocol) {
  const own = macroOf(protocol);
  const byT = Object.fromEntries(Object.entries(own).map(([key, e]) => [key, e && known(e.t_low) ? {value: e.value, low: e.t_low, high: e.t_high} : null]));
  const rows = [[h('b', {}, 'this ranking'), own]].concat(Object.values(byT).some(Boolean) ? [['its t interval over disorders', byT]] : [],
      Object.entries(ev.baselines || {})
          .filter(([, b]) => b[name])
          .map(([base, b]) => [nice(base) + (b.upper_bound ? ' (upper bound, no rival)' : ''), b[name].macro || b[name]]));
  const metrics = METRICS.filter(([key]) => rows.some(([, m]) => known(estimate(m[key]).value)));
  return metrics.length ?
      table(
          ['order by', ...metrics.map(([, label]) => numbered(label))],
          rows.map(([label, m]) => [label, ...metrics.map(([key, , digits]) => measured(estimate(m[key]), digits))]),
          {caption: 'Mean over disorders with 90 % intervals; the baselines below. “vs”: AUROC against those drugs alone', label: 'macro table'}) :
      h('p', {class: 'note'}, 'Nothing could be estimated under this protocol.');
}

function disorderTable(ev, name, protocol) {
  const list = protocol.disorders || [];
  if (!list.length) return null;
  const head = [
    'disorder', numbered('n+', 'recorded treatments'), numbered('n−'), numbered('prevalence'), numbered('average precision'),
    'AUROC against the range of null maps', numbered('map-null p'), numbered('ligand only', 'AUROC of the ligand-only baseline')
  ];
  return table(
      head, list.map((d) => {
        const auroc = estimate(d.auroc), none = d.map_null || {};
        const ticks = Object.entries(ev.baselines || {}).map(([base, b]) => {
          const own = b[name] && (b[name].disorders || []).find((x) => x.id === d.id);
          return {name: nice(base), value: own ? estimate(own.auroc).value : NaN};
        });
        const ligand = ticks.find((t) => t.name === 'ligand only');
        return [
          [h('b', {}, d.name || d.id), h('span', {class: 'muted'}, ' ' + d.id)], whole(d.n_pos), whole(d.n_neg),
          percent(d.prevalence, 1), interval(estimate(d.ap), 3),
          !known(auroc.value) ? h('span', {class: 'muted'}, 'cannot be estimated') :
                                [
                                  againstNull({
                                    ...auroc,
                                    nullLow: none.low,
                                    nullHigh: none.high,
                                    ticks,
                                    width: 240,
                                    label: `AUROC ${interval(auroc)}, null maps ${num(none.low)} to ${num(none.high)}`
                                  }),
                                  h('span', {class: 'under'}, interval(auroc))
                                ],
          pvalue(none.p), num(ligand && ligand.value)
        ];
      }),
      {caption: 'Grey: AUROC that surrogate maps give. Triangles: baselines.', label: 'disorders', class: 'plain bars'});
}

/* AUROC of each disorder against fewer negatives, with how many there are: a dash where none is recorded. */
function negativesTable(ev, protocol) {
  const asked = ev.negatives || {}, list = protocol.disorders || [];
  const columns = [
    ['nervous_system', 'nervous-system drugs', (d) => interval(estimate(d.auroc_vs_ns))],
    [
      'popularity', 'popularity-matched drugs',
      (d) => [interval(estimate(d.auroc_vs_popularity)),
              h('span', {class: 'under'}, `${whole(estimate(d.auroc_vs_popularity).n)} of ${whole(d.n_pos)} treatments have a match`)]
    ],
    [
      'failed', 'failed drugs',
      (d) => d.n_failed ? [interval(estimate(d.auroc_vs_failed)), h('span', {class: 'under'}, `${whole(d.n_failed)} recorded`)] :
                          h('span', {class: 'muted'}, 'none recorded')
    ]
  ].filter(([key]) => key in asked);
  return !columns.length || !list.length ?
      null :
      table(
          ['disorder', numbered('all'), ...columns.map(([, label]) => numbered(label))],
          list.map((d) => [h('b', {}, d.name || d.id), interval(estimate(d.auroc)), ...columns.map(([, , cell]) => cell(d))]),
          {caption: 'AUROC against fewer drugs, with 90 % intervals', label: 'negatives'});
}

/* Which drugs the treatments are held against, in words. */
function negativesSection(ev) {
  const list = Object.entries(ev.negatives || {});
  return list.length ? section('negatives', 'Held against', facts(list.map(([name, text]) => [nice(name), text]))) : null;
}

function protocolSection(ev, name, protocol) {
  return section(
      'protocol-' + name, `Protocol: ${nice(name)}`, protocol.definition ? h('p', {}, protocol.definition) : null,
      macroTable(ev, name, protocol), disorderTable(ev, name, protocol), negativesTable(ev, protocol));
}

function timeSection(ev) {
  const t = ev.time_split;
  return t ? section(
                 'time', `Time split: ${t.year}`,
                 h('p', {}, `${t.definition}. Treatments: ${whole(t.n_early)} recorded up to ${t.year}, ${whole(t.n_late)} later, ${whole(t.n_undated)} without a date.`),
                 macroTable(ev, 'time_split', t), disorderTable(ev, 'time_split', t), negativesTable(ev, t)) :
             null;
}

function incrementSection(ev) {
  const list = ev.imaging_increment || [];
  return section(
      'imaging', 'Does the image add anything?',
      list.length ?
          table(
              [
                'disorder', 'verdict', numbered('gain in average precision'), 'gain and its interval',
                numbered('p against null maps', 'the larger of the families named'),
                numbered(
                    'detectable',
                    'smallest gain (or correlation of the map with one drug’s, where too few treatments are recorded) seen with power 0.8')
              ],
              list.map((g) => {
                const e = g.delta && typeof g.delta === 'object' ? g.delta : {value: g.delta, low: g.low, high: g.high};
                const reach = Math.max(
                    0.05,
                    ...list.flatMap((x) => [x.low, x.high, x.delta && x.delta.low, x.delta && x.delta.high])
                        .filter(known)
                        .map(Math.abs));
                return [
                  h('b', {}, g.name || disorderName(ev, g.id)), badge(g.verdict, 'imaging'),
                  known(e.value)         ? signed(e.value, 3) :
                      g.tested === 'map' ? 'map alone tested' :
                                           '–',
                  intervalBar({...e, min: -reach, max: reach, zero: 0, width: 160, label: `gain ${interval(e, 3)}`}),
                  pvalue(g.p_map) + familyList(g), num(g.detectable, 3)
                ];
              }),
              {label: 'increment of imaging'}) :
          h('p', {class: 'note'}, 'Not measured in this run.'));
}

/* The image alone: engagement as it is ranked, against what surrogate maps give, and the ligand-only baseline beside it. */
function aloneSection(ev) {
  const list = ev.imaging_alone || [];
  if (!list.length) return null;
  return section(
      'alone', 'The image alone',
      h('p', {},
        'AUROC of engagement alone on recorded treatments. Grey: 95 % of what surrogate maps of the same smoothness give. Triangle: the ligand-only baseline on the same drugs, which sees no image.'),
      table(
          [
            'disorder', numbered('n+'), numbered('n−'), numbered('AUROC'), 'against surrogate maps',
            numbered('range of surrogates'), numbered('p'), numbered('ligand only')
          ],
          list.map((m) => {
            const none = m.map_null || {};
            return [
              [h('b', {}, m.name || m.id), h('span', {class: 'muted'}, ' ' + m.id)], whole(m.n_pos), whole(m.n_neg), num(m.auroc),
              !known(m.auroc) ? h('span', {class: 'muted'}, 'cannot be estimated') : againstNull({
                value: m.auroc,
                nullLow: none.low,
                nullHigh: none.high,
                ticks: [{name: 'ligand only', value: m.ligand_only}],
                width: 260,
                label: `AUROC ${num(m.auroc)}, surrogate maps ${num(none.low)} to ${num(none.high)}`
              }),
              known(none.low) ? `${num(none.low)} to ${num(none.high)}` : '–', pvalue(none.p), num(m.ligand_only)
            ];
          }),
          {label: 'the image alone', class: 'plain bars'}));
}

function ablationSection(ev) {
  const list = ev.ablation || [];
  const reach = Math.max(0.02, ...list.flatMap((a) => [a.low, a.high]).filter(known).map(Math.abs));
  return section(
      'ablation', 'Ablation',
      list.length ? table(
                        ['channel left out', numbered('change in average precision'), 'interval', numbered('Holm p')],
                        list.map(
                            (a) =>
                                [nice(a.channel), signed(a.delta_ap, 3), intervalBar({
                                   value: a.delta_ap,
                                   low: a.low,
                                   high: a.high,
                                   min: -reach,
                                   max: reach,
                                   zero: 0,
                                   width: 160,
                                   label: `change ${num(a.delta_ap, 3)}`
                                 }),
                                 pvalue(a.p_holm)]),
                        {label: 'ablation'}) :
                    h('p', {class: 'note'}, 'Not measured in this run.'));
}

/* Points of the pooled curve: groups of equal size by predicted probability. */
function curveTable(pooled) {
  const points = pooled.curve || [];
  if (!points.length) return null;
  const most = Math.max(...points.map((b) => Math.max(b.high, b.predicted)));
  return table(
      [numbered('predicted'), numbered('observed'), 'observed and its interval; line: predicted', numbered('pairs')],
      points.map((b) => [num(b.predicted, 4), num(b.observed, 4), intervalBar({
                           value: b.observed,
                           low: b.low,
                           high: b.high,
                           min: 0,
                           max: most,
                           zero: b.predicted,
                           width: 240,
                           label: `observed ${num(b.observed, 4)}, predicted ${num(b.predicted, 4)}`
                         }),
                         whole(b.n)]),
      {caption: 'Calibration curve, all disorders together', label: 'calibration curve', class: 'plain bars'});
}

function calibrationSection(ev) {
  const c = ev.calibration || {}, pooled = c.pooled || {}, list = c.disorders || [];
  return section(
      'calibration', 'Calibration',
      Object.keys(pooled).length || list.length ?
          [
            h('p', {},
              'The probability shown is that of being a recorded treatment, predicted with each disorder left out in turn. Observed over expected should be 1, the slope 1, and the Brier score small.'),
            curveTable(pooled),
            table(
                ['', numbered('observed / expected'), numbered('slope'), numbered('Brier score')],
                [['pooled', pooled], ...list.map((d) => [d.name || disorderName(ev, d.id), d])].map(
                    ([label,
                      d]) => [label, num(estimate(d.oe).value), num(estimate(d.slope).value), num(estimate(d.brier).value, 4)]),
                {label: 'calibration'})
          ] :
          h('p', {class: 'note'}, 'Not measured in this run.'),
      calibrationTable(ev),
      conformalText(ev) ? [h('h3', {}, 'Sets that should hold 90 % of the treatments'), h('p', {}, conformalText(ev)), conformalTable(ev)] :
          ev.conformal && Object.keys(ev.conformal).length ? [h('h3', {}, 'Conformal sets'), tree(ev.conformal)] : null);
}

/* Where there is nothing to find: permuted labels, a permuted network, drugs that should not rise. */
function controlsSection(ev) {
  const list = ev.negative_controls || [];
  if (!list.length) return null;
  return section(
      'controls', 'Negative controls',
      h('p', {},
        'AUROC under the masked protocol, mean over disorders, with 90 % intervals. Permuting keeps degrees, so that what a degree tells is still there: matched holds each treatment against drugs with as many recorded uses, and about as many targets and side effects. Chance is 0.5.'),
      table(
          ['control', numbered('AUROC'), numbered('matched'), numbered('matched, this ranking'), 'at chance'],
          list.map((c) => [[h('b', {}, nice(c.control)), h('span', {class: 'under'}, c.definition)], interval(estimate(c.auroc)),
                           interval(estimate(c.auroc_matched)), interval(estimate(c.ranking && c.ranking.auroc_matched)), c.at_chance ? 'yes' : 'no']),
          {label: 'negative controls'}));
}

function nullSection(ev) {
  const list = ev.null_calibration || [];
  const plain = list.every((r) => r && typeof r === 'object' && 'rate' in r);
  return section(
      'nulls', 'False-positive rate of the nulls',
      list.length ? (plain ? nullRates(list.map((r) => ({name: r.name || r.null, ...r}))) : tree(list)) :
                    h('p', {class: 'note'}, 'Not measured in this run.'));
}

/* What a reader should take home, before any table. */
function shortSection(ev) {
  const name = ev.protocols && ev.protocols.masked ? 'masked' : Object.keys(ev.protocols || {})[0],
        own = name ? estimate(macroOf(ev.protocols[name]).ap) : {};
  const rivals = Object.entries(ev.baselines || {})
                     .filter(([, b]) => b[name] && !b.upper_bound)
                     .map(([base, b]) => [base, estimate((b[name].macro || b[name]).ap)])
                     .filter(([base, e]) => known(e.value) && base !== 'mean_normal_score' && base !== 'engagement')
                     .sort((a, b) => b[1].value - a[1].value);
  const list = ev.imaging_increment || [], count = (v) => list.filter((g) => g.verdict === v).length;
  return section(
      'short', 'In short', facts([
        known(own.value) ? ['this ranking', `average precision ${interval(own, 3)} under the protocol "${nice(name)}"`] : null,
        rivals.length ?
            [
              'best baseline',
              `${nice(rivals[0][0])} ${interval(rivals[0][1], 3)}` +
                  (known(own.value) && rivals[0][1].value >= own.value ? ': the ranking does not beat it' : '')
            ] :
            null,
        ev.imaging && ev.imaging.summary ? ['the images', ev.imaging.summary] : list.length ?
            [
              'the image',
              `adds for ${count('adds')} of ${plural(list.length, 'disorder')}, no signal for ${
                  count('no_signal')}, undetermined for ${count('undetermined')}`
            ] :
            null,
      ]));
}

function renderEvaluation() {
  const ev = data.evaluation,
        protocols = Object.entries(ev.protocols || {}).filter(([, p]) => p && typeof p === 'object' && Object.keys(p).length);
  const sections = [
    ['In short', shortSection(ev)], ['Increment', incrementSection(ev)], ['Image alone', aloneSection(ev)], ['Held against', negativesSection(ev)],
    ...protocols.map(([name, p]) => [nice(name), protocolSection(ev, name, p)]), ['Time split', timeSection(ev)], ['Calibration', calibrationSection(ev)],
    ['Ablation', ablationSection(ev)], ['Negative controls', controlsSection(ev)], ['Nulls', nullSection(ev)], ['TRIPOD+AI', tripodSection(ev)],
    ['Terms', termsSection()], [`Warnings (${data.warnings.length})`, warningSection(data.warnings)],
    ['Provenance', provenanceSection(data.provenance, null, data.version)]
  ].filter((x) => x[1]);
  return [
    pageHeader(
        'evaluation', ev.study || 'Evaluation',
        [`${plural(protocols.length, 'protocol')} · seed ${ev.seed ?? '–'} · version ${ev.version || data.version}`]),
    pageNav(sections), h('main', {}, ev.simulated ? simulatedNote() : null, sections.map(([, node]) => node)),
    h('footer', {}, 'Intervals are 90 %. One analysis is declared primary in the study file; everything else is exploratory.'),
  ];
}
