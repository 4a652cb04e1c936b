/* drawer.js - everything known about one candidate: numbers, channels with their reasons, targets with their source rows. */
'use strict';

const FLAG_TEXT = {
  insufficient: 'the coverage gate failed: the image cannot speak about this drug',
  no_measured_target: 'no target of this drug has a measured affinity',
  few_mapped_targets: 'too few of its measured targets have a receptor map',
  strongest_target_unmapped: 'the target it binds most strongly has no receptor map',
  recorded_treatment: 'recorded as a treatment of this disorder',
  investigational: 'recorded as investigational for this disorder',
  failed: 'recorded as failed for this disorder',
  contraindicated: 'recorded as contraindicated or known to worsen this disorder',
  excluded_by_exposure: 'the rules for brain exposure exclude it',
  low_exposure:
      'the rules for passive entry into the brain (CNS MPO) are only partly met; drugs that are carried in, such as L-DOPA, or act outside can break them and work',
  opposite_direction: 'its recorded actions go the opposite way of this disorder’s treatments; the score is lowered for it',
  exposure_unknown: 'too few descriptors to judge brain exposure',
};

let drawerOrigin = null;

function closeDrawer() {
  const open = document.getElementById('drawer');
  if (!open) return;
  open.remove();
  document.body.classList.remove('with-drawer');
  if (drawerOrigin && drawerOrigin.isConnected) drawerOrigin.focus();
}

const facts = (pairs) =>
    h('dl', {class: 'facts'},
      pairs.filter((p) => p && p[1] !== null && p[1] !== '').map(([k, v]) => [h('dt', {}, k), h('dd', {}, v)]));

/* Source rows of one channel. `part` is in units of the score where the channel is fused, `share` in those of its own value. */
function reasonList(reasons) {
  if (!reasons || !reasons.length) return null;
  const size = (r) => (known(r.part) ? r.part : r.share), reach = Math.max(...reasons.map((r) => Math.abs(size(r) || 0)), 1e-9);
  return h(
      'ul', {class: 'reasons'},
      reasons.map(
          (r) =>
              h('li', {}, h('span', {class: 'share'}, signed(size(r), 2)),
                h('span', {class: 'meter ' + (size(r) < 0 ? 'minus' : 'plus'), style: {'--w': Math.abs(size(r) || 0) / reach}}),
                h('b', {}, r.label), r.detail ? h('span', {class: 'detail'}, cited(prose(r.detail))) : null)));
}

/* Why a channel that speaks adds nothing, or adds without rows. */
function levelText(c, value, level, weight) {
  if (!known(value)) return 'what silence is worth in the model';
  if (weight && weight.weight === 0) return null;
  return level < 0 ? 'taken off: what the average drug has of this' : 'the average drug has less than nothing of this';
}

/* Two digits at least of what is small. */
const small = (x) => (x === 0 || Math.abs(x) >= 0.01 ? num(x, 3) :
                          Math.abs(x) < 1e-4         ? powers(x.toExponential(1)).replace(/^-/, '−') :
                                                       String(Number(x.toPrecision(2))).replace('-', '−'));

function channelBlock(c, i, row, disorder) {
  const d = row.detail || {}, value = (d.value || [])[i], se = (d.se || [])[i], part = (d.contribution || row.parts)[i],
        weight = (disorder.weights || {})[c.name], level = d.level ? d.level[c.name] : NaN, why = (d.reasons || {})[c.name],
        edges = (d.edges || {})[c.name], fused = known(part) && (c.role === 'VOTE' || part !== 0);
  const rows = known(part) && known(level) && Math.abs(level) >= 0.005 && levelText(c, value, level, weight) ?
      [...(why || []), {label: levelText(c, value, level, weight), part: level}] :
      why;
  const sum = known(value) ? [`value ${small(value)}`, known(se) ? ` ± ${small(se)}` : ''] : ['no evidence for this drug (missing, not zero)'];
  const list = weight && weight.weight === 0 ?
      null :
      reasonList((rows || []).map((r) => (known(r.source) ? {...r, detail: `${r.detail}; record: ${data.strings[r.source]}`} : r)));
  return h(
      'div', {class: 'channel'},
      h('h4', {}, h('span', {class: 'dot', style: {'--c': channelColour(i)}}), nice(c.name),
        h('span', {class: 'role'}, c.role.toLowerCase())),
      h('p', {}, sum,
        fused                                   ? `, adds ${signed(part)} to the score` :
            c.role === 'VOTE'                   ? '' :
                                                  ', not part of the score',
        weight && weight.weight === 0 ? ': on other disorders it told nothing beyond the other channels, so its weight is 0' : ''),
      list, edges && edges.length > 1 && fused && list ?
          h('details', {}, h('summary', {}, 'the same by target: all paths that leave by it'), reasonList(edges)) :
          null);
}

const ACTION = (action, partial) =>
    (action > 0     ? (partial ? 'partial agonist' : 'agonist-like') :
         action < 0 ? 'antagonist-like' :
                      'not recorded');

function targetTable(drug) {
  const text = (i) => (i === null || i === undefined ? '–' : data.strings[i]);
  const head = [
    'target', {label: 'pKi', number: true, title: 'minus log10 of the affinity in mol/l'},
    {label: 'occupancy', number: true, title: 'assumed: see the concentration above'}, 'action',
    {label: 'measured as', title: 'type of the value, species, number of measurements'},
    {label: 'map', title: 'whether the target has a receptor map'}, 'source row and licence'
  ];
  const rows = drug.rows.slice().sort((a, b) => (b[1] || 0) - (a[1] || 0)).map(([
                                                                                 t, p, se, occupancy, action, partial, censored,
                                                                                 n, type, species, source, licence
                                                                               ]) => {
    const target = data.targets[t] || {};
    return [
      [
        h('b', {}, target.name || target.symbol),
        target.name && target.name !== target.symbol ? h('span', {class: 'muted'}, ' ' + target.symbol) : null
      ],
      [censored ? 'bound ' : '', num(p), known(se) ? h('span', {class: 'muted'}, ` ± ${num(se)}`) : null], percent(occupancy),
      ACTION(action, partial), [text(type), h('span', {class: 'under'}, `${text(species)}, n = ${whole(n)}`)],
      target.mapped ? 'yes' : 'no',
      [h('span', {class: 'source'}, cited(text(source))), h('span', {class: 'under'}, text(licence))]
    ];
  });
  return table(head, rows, {class: 'plain targets', label: 'targets of this drug'});
}

const OPINION_TEXT = {
  mean_normal_score: 'mean normal score',
  rank_aggregation: 'rank aggregation',
  elastic_net: 'elastic net'
};
const otherRanks = (ranks) => ranks && Object.keys(ranks).length ?
    Object.entries(ranks).map(([k, v]) => `${OPINION_TEXT[k] || nice(k)} ${num(v, 0)}`).join(', ') :
    null;

const valueOf = (row, name) => ((row.detail || {}).value || [])[data.channels.findIndex((c) => c.name === name)];

/* Which way the drug acts, as the gate of direction sees it; null without that gate. */
function directionFact(row) {
  const v = valueOf(row, 'direction');
  if (!row.detail || !data.channels.some((c) => c.name === 'direction')) return null;
  return !known(v)                               ? 'not known: nobody recorded whether it raises or lowers its targets; nothing is taken off for that' :
      v === -1 && row.verdict === 'contraindicated' ? `known to make the disorder worse, which takes ${num(RULES.penalty, 1)} off the score` :
      v < 0                                      ? `opposite to that of recorded treatments (${num(v)}, of −1 to 1)` :
      v === 0                                    ? 'neither with nor against recorded treatments (0, of −1 to 1)' :
                                                   `that of recorded treatments (${signed(v)}, of −1 to 1); agreement adds nothing to the score`;
}

function exposureFact(row) {
  const v = valueOf(row, 'exposure'), why = (((row.detail || {}).reasons || {}).exposure || [])[0];
  return known(v) ? `${num(v, 1)} of 6, ${why && /^measured/.test(why.detail) ? 'from measured blood-brain ratios' : 'from its structure, nothing measured'}; below ${
                        RULES.gate} excludes, below ${RULES.flag} is flagged` :
                    null;
}

/* Where the score and the rank would go. */
const moveTo = (row, m) => {
  const at = (score, rank) => `score ${num(score, 1)}, rank ${whole(rank)}`;
  return m.direction === 'either' ? `between ${at(m.low, m.rank_at_low)} and ${at(m.high, m.rank_at_high)}` :
      m.direction === 'down'      ? `down to ${at(m.low, m.rank_at_low)}` :
                                    `up to ${at(m.high, m.rank_at_high)}`;
};

function moveTable(row) {
  const moves = (row.detail || {}).moves || [];
  return moves.length ?
      [
        h('h4', {class: 'part'}, 'What would move it most'),
        table(
            ['evidence', 'would bring it', 'can it be had?'], moves.map((m) => [prose(m.evidence), moveTo(row, m), m.how]),
            {label: 'what would move it most', class: 'plain moves'}),
        h('p', {class: 'note'},
          'Approximate: one piece of evidence at a time, every other drug staying where it is.' +
              (known(RULES.penalty) && row.verdict !== 'contraindicated' ?
                   ` For any drug, a report that it makes the disorder worse takes up to ${num(RULES.penalty, 1)} off the score and marks it contraindicated.` :
                   ''))
      ] :
      null;
}

/* Channels worth opening first: those that add to the score, the largest first. */
const chosen = (row) => {
  const part = (row.detail && row.detail.contribution) || row.parts;
  return data.channels.map((c, i) => i)
      .filter((i) => known(part[i]) && Math.abs(part[i]) >= 0.005)
      .sort((a, b) => Math.abs(part[b]) - Math.abs(part[a]));
};

function openDrawer(disorder, row, origin) {
  closeDrawer();
  drawerOrigin = origin || null;
  const drug = data.drugs[row.drug], detail = row.detail || {};
  const close = h('button', {class: 'close', type: 'button', onclick: closeDrawer, 'aria-label': 'close details'}, '×');
  const node = h(
      'aside', {
        id: 'drawer',
        role: 'dialog',
        'aria-labelledby': 'drawer-title',
        tabindex: '-1',
        onkeydown: (e) => {
          if (e.key === 'Escape') closeDrawer();
        }
      },
      h('header', {},
        h('div', {}, h('p', {class: 'kicker'}, disorder.name, disorder.simulated ? ' · simulated' : ''),
          h('h3', {id: 'drawer-title'}, row.name)),
        close),
      h('p', {class: 'verdict-line'}, badge(row.verdict, 'verdict'), row.label ? badge(row.label, 'label') : null,
        h('span', {}, VERDICT_TEXT[row.verdict] || '')),
      facts([
        [
          'rank',
          !known(row.score) ? 'none: no voting channel speaks of this drug' :
                              `${whole(row.rank)} of ${whole(disorder.scored)} with a score` +
                  (known(row.rankLow) ? `, 90 % interval ${whole(row.rankLow)} to ${whole(row.rankHigh)}` : '')
        ],
        ['score', interval({value: row.score, low: row.scoreLow, high: row.scoreHigh})],
        [
          'score without one channel',
          known(row.withoutLow) ? `${signed(row.withoutLow)} to ${signed(row.withoutHigh)} (sensitivity, not an interval)` : null
        ],
        ['probability of the top 10', percent(row.top10)],
        [
          'probability of being a recorded treatment',
          known(row.recorded) ? chance(row) + (row.label ? ', had its own record not been known' : '') : 'not calibrated'
        ],
        ['speaks against it', detail.counter ? cited(prose(detail.counter)) : null],
        ['direction of action', directionFact(row)],
        ['entry into the brain', exposureFact(row)],
        ['rank by other ways to fuse', otherRanks(detail.ranks)],
        data.has_map ? ['engagement', known(row.engagement) ? `${signed(row.engagement)} (map-null p ${pvalue(row.engagementP)})` : 'none'] : null,
        data.settings.n_affinities === 0 ? null : [
          'assumed free concentration',
          known(drug.conc_nM) ?
              `${molar(drug.conc_nM)}: the strongest target is ${percent(data.settings.relative_occupancy)} occupied` :
              'no affinity measured'
        ],
        ['identifier', drug.id],
        ['class', drug.mechanism || null],
        ['ATC', drug.atc4 || null],
        ['SMILES', drug.smiles ? h('code', {}, drug.smiles) : null],
      ]),
      row.flags.length ? h('ul', {class: 'flags'},
                           row.flags.map((f) => h('li', {}, h('b', {}, nice(f)), FLAG_TEXT[f] ? ': ' + FLAG_TEXT[f] : ''))) :
                         null,
      moveTable(row),
      h('h4', {class: 'part'}, 'Why it stands here'),
      h('p', {class: 'note'},
        row.detail ? 'Rows sum to their channel, and channels to the score.' :
                     'The rows behind this drug are left out of this page to keep it small; candidates.json has those of the best hundred.'),
      chosen(row).map((i) => channelBlock(data.channels[i], i, row, disorder)),
      h('details', {class: 'others'}, h('summary', {}, 'Channels that add nothing: values for the record'),
        data.channels.map((c, i) => i).filter((i) => !chosen(row).includes(i)).map((i) => channelBlock(data.channels[i], i, row, disorder))),
      data.settings.n_affinities === 0 ? null : h('h4', {class: 'part'}, 'What it binds'),
      data.settings.n_affinities === 0 ? null : drug.rows.length ?
          targetTable(drug) :
          h('p', {class: 'note'},
            row.targets ?
                'The rows are left out of this page to keep it small; they stand in candidates.json and in the sheet Sources of candidates.xlsx.' :
                'No target was measured.'),
      data.brain && drug.weights && drug.weights.length ?
          h('button', {type: 'button', class: 'plain-button', onclick: () => showEngagement(row.drug)},
            'Show its engagement map in the brain viewer') :
          null);
  document.body.append(node);
  document.body.classList.add('with-drawer');
  node.focus();
}
