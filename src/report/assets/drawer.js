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
  low_exposure: 'the rules for brain exposure are only partly met',
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

function reasonList(reasons) {
  if (!reasons || !reasons.length) return null;
  const reach = Math.max(...reasons.map((r) => Math.abs(r.share || 0)), 1e-9);
  return h(
      'ul', {class: 'reasons'},
      reasons.map(
          (r) =>
              h('li', {}, h('span', {class: 'share'}, signed(r.share, 2)),
                h('span', {class: 'meter ' + (r.share < 0 ? 'minus' : 'plus'), style: {'--w': Math.abs(r.share || 0) / reach}}),
                h('b', {}, r.label), r.detail ? h('span', {class: 'detail'}, r.detail) : null)));
}

function channelBlock(c, i, row, why) {
  const value = row.values[i], se = row.errors[i], part = row.parts[i];
  return h(
      'div', {class: 'channel'},
      h('h4', {}, h('span', {class: 'dot', style: {'--c': channelColour(i)}}), nice(c.name),
        h('span', {class: 'role'}, c.role.toLowerCase())),
      h('p', {},
        known(value) ?
            [
              `value ${num(value, 3)}`, known(se) ? ` ± ${num(se, 3)}` : '',
              c.role === 'VOTE' ? `, adds ${signed(part)} to the score` : ', not part of the score'
            ] :
            'no evidence for this drug (missing, not zero)'),
      reasonList(why && why[c.name]),
      why && why[c.name] && c.role === 'VOTE' ? h('p', {class: 'note'}, 'The shares sum to the value.') : null);
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

function openDrawer(disorder, row, origin) {
  closeDrawer();
  drawerOrigin = origin || null;
  const drug = data.drugs[row.drug], why = disorder.reasons[row.drug];
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
        ['fused score', interval({value: row.score, low: row.scoreLow, high: row.scoreHigh})],
        [
          'score without one channel',
          known(row.withoutLow) ? `${signed(row.withoutLow)} to ${signed(row.withoutHigh)} (sensitivity, not an interval)` : null
        ],
        ['probability of the top 10', percent(row.top10)],
        ['probability of being a recorded treatment', known(row.recorded) ? percent(row.recorded, 1) : 'not calibrated'],
        ['engagement', known(row.engagement) ? `${signed(row.engagement)} (map-null p ${pvalue(row.engagementP)})` : 'none'],
        [
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
      h('h4', {class: 'part'}, 'Why it stands here'), data.channels.map((c, i) => channelBlock(c, i, row, why)),
      h('h4', {class: 'part'}, 'What it binds'),
      drug.rows.length ?
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
