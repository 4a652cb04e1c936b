/* candidates.js - the candidate table: tabs, search, filters, sorting, and the disorders side by side. */
'use strict';

const VERDICTS = ['supported', 'weak', 'insufficient', 'gated', 'contraindicated'];
const PAGE_ROWS = 50;
const channelColour = (i) => PALETTE[i % PALETTE.length];

/* Texts that stand once for all drugs, put back. */
function unpackDetail(detail) {
  if (!detail) return null;
  const text = (i) => (known(i) ? data.strings[i] : null);
  const moves = (detail.moves || []).map(([evidence, direction, low, high, rank_at_low, rank_at_high, obtainable, how]) => (
      {evidence: text(evidence), direction: text(direction), low, high, rank_at_low, rank_at_high, obtainable, how: text(how)}));
  return {...detail, counter: text(detail.counter), moves};
}

/* Rows of the data as objects, once. */
function unpack(disorder) {
  const n = disorder.rows.length;
  disorder.candidates = disorder.rows.map((r, i) => ({
                                            rank: i + 1,
                                            drug: r[0],
                                            name: data.drugs[r[0]].name || data.drugs[r[0]].id,
                                            score: r[1],
                                            scoreLow: r[2],
                                            scoreHigh: r[3],
                                            rankLow: r[4],
                                            rankHigh: r[5],
                                            top10: r[6],
                                            recorded: r[7],
                                            verdict: r[8],
                                            channels: r[9],
                                            targets: r[10],
                                            flags: r[11] ? r[11].split(';').filter(Boolean) : [],
                                            engagement: r[12],
                                            engagementP: r[13],
                                            label: r[14],
                                            withoutLow: r[15],
                                            withoutHigh: r[16],
                                            parts: r[17] || [],
                                            percentile: r[18] || [],
                                            detail: unpackDetail(disorder.details[r[0]]),
                                          }));
  const spread = disorder.candidates.flatMap((c) => [c.score, c.scoreLow, c.scoreHigh]).filter(known);
  disorder.scale = {min: Math.min(...spread, 0), max: Math.max(...spread, 0)};
  const sums = disorder.candidates.flatMap(
      (c) => [+1, -1].map((way) => voting(c).reduce((a, p) => a + Math.max(0, way * (p.value || 0)), 0)));
  disorder.reach = sums.reduce((a, b) => Math.max(a, b), 0) || 1;
  disorder.n = n;
  disorder.scored = disorder.candidates.filter((c) => known(c.score)).length;
}

const voting = (row) => data.channels.map((c, i) => ({name: c.name, role: c.role, value: row.parts[i], colour: channelColour(i)}))
                            .filter((p) => p.role === 'VOTE');
const baselines = (row) =>
    data.channels.filter((c) => c.role === 'BASELINE').map((c, i) => ({name: c.name, role: c.role, value: row.percentile[i]}));

const votes = data.kind === 'report' ? data.channels.filter((c) => c.role === 'VOTE').length : 0;

/* key, heading, what it means, value to sort by, cell. Missing values sort last either way. */
function columnsOf(disorder) {
  const scale = disorder.scale;
  const columns = [
    {
      key: 'rank',
      label: 'Rank',
      title: 'order by fused score; the bar is the 90 % interval of the rank; a drug without a score has none',
      first: 1,
      value: (r) => r.rank,
      cell: (r) => !known(r.score) ?
          h('span', {class: 'muted', title: 'no voting channel speaks of this drug'}, 'no score') :
          [
            h('span', {class: 'rank'}, r.rank), intervalBar({
              value: r.rank,
              low: r.rankLow,
              high: r.rankHigh,
              min: 1,
              max: disorder.scored,
              width: 74,
              label: known(r.rankLow) ? `rank ${r.rank}, 90 % interval ${whole(r.rankLow)} to ${whole(r.rankHigh)}` :
                                        `rank ${r.rank}`
            })
          ]
    },
    {
      key: 'name',
      label: 'Drug',
      title: 'open the details with a click or Enter',
      first: 1,
      value: (r) => r.name.toLowerCase(),
      head: true,
      cell: (r) =>
          [h('button', {type: 'button', class: 'open', 'data-drug': r.drug}, r.name),
           r.label ? h('span', {class: 'known ' + (STATUS_CLASS[r.label] || '')}, nice(r.label)) : null]
    },
    {
      key: 'score',
      label: 'Score',
      title: (LEARNED ? 'log odds of being a recorded treatment above the average drug: +2.3 is ten times its odds' :
                        'fused score: sum of the normal scores of the voting channels over its standard deviation') +
          '; the bar is the 90 % interval',
      first: -1,
      value: (r) => r.score,
      cell: (r) => [h('span', {class: 'figure-number'}, signed(r.score)), intervalBar({
                      value: r.score,
                      low: r.scoreLow,
                      high: r.scoreHigh,
                      ...scale,
                      zero: 0,
                      width: 112,
                      label: `score ${interval({value: r.score, low: r.scoreLow, high: r.scoreHigh})}`
                    })]
    },
    {
      key: 'parts',
      label: 'Contributions',
      title: 'what each voting channel adds to the score; sorted by the largest one',
      first: -1,
      value: (r) => Math.max(...voting(r).map((p) => (known(p.value) ? p.value : -Infinity))),
      cell: (r) => contributionBar(voting(r), disorder.reach, 136)
    },
    {
      key: 'verdict',
      label: 'Verdict',
      title: 'see what each word means below the table',
      first: 1,
      value: (r) => VERDICTS.indexOf(r.verdict),
      cell: (r) => badge(r.verdict, 'verdict')
    },
    {
      key: 'top10',
      label: 'P(top 10)',
      title: 'share of redraws in which the drug stands among the first ten',
      first: -1,
      number: true,
      value: (r) => r.top10,
      cell: (r) => percent(r.top10)
    },
    {
      key: 'coverage',
      label: 'Coverage',
      title: 'targets that have a receptor map and a measured affinity for this drug, and voting channels with evidence',
      first: -1,
      value: (r) => (data.has_map ? r.targets : r.channels),
      cell: (r) =>
          [data.has_map ? coverageRing(data.settings.n_mapped ? r.targets / data.settings.n_mapped : 0) : coverageRing(r.channels / votes),
           h('span', {class: 'two-lines'}, data.has_map ? h('span', {}, `${r.targets}/${data.settings.n_mapped} targets`) : null,
             h('span', {}, `${r.channels}/${votes} channels`))]
    },
  ];
  if (data.channels.some((c) => c.role === 'BASELINE'))
    columns.push({
      key: 'baselines',
      label: 'Baselines',
      title: 'percentile of the drug under each baseline (' +
          data.channels.filter((c) => c.role === 'BASELINE').map((c) => nice(c.name)).join(', ') + '); never part of the score',
      first: -1,
      value: (r) => Math.max(...baselines(r).map((b) => (known(b.value) ? b.value : -1))),
      cell: (r) => percentileGlyph(baselines(r))
    });
  columns.push({
    key: 'flags',
    label: 'Flags',
    title: 'why a candidate needs care',
    first: -1,
    value: (r) => r.flags.length,
    cell: (r) => r.flags.map((f) => h('span', {class: 'flag', title: FLAG_TEXT[f] || null}, nice(f)))
  });
  return columns;
}

/* One row per drug over all disorders. */
function sideColumns(disorders) {
  return [
    {
      key: 'name',
      label: 'Drug',
      title: 'open the details of its best disorder',
      first: 1,
      value: (r) => r.name.toLowerCase(),
      head: true,
      cell: (r) => h('button', {type: 'button', class: 'open', 'data-drug': r.drug}, r.name)
    },
    {
      key: 'best',
      label: 'Best rank',
      title: 'smallest rank over the disorders',
      first: 1,
      number: true,
      value: (r) => (known(r.score) ? r.rank : NaN),
      cell: (r) => (known(r.score) ? r.rank : '–')
    },
    ...disorders.map((d, i) => ({
                       key: 'd' + i,
                       label: d.name,
                       title: `rank under ${d.name}`,
                       first: 1,
                       value: (r) => (r.each[i] && known(r.each[i].score) ? r.each[i].rank : NaN),
                       cell: (r) => {
                         const c = r.each[i];
                         return c && !known(c.score) ? h('span', {class: 'muted'}, 'no score') :
                             c ? h('span', {class: 'side-cell'}, h('span', {class: 'rank'}, c.rank), intervalBar({
                                     value: c.score,
                                     low: c.scoreLow,
                                     high: c.scoreHigh,
                                     ...d.scale,
                                     zero: 0,
                                     width: 96,
                                     label: `score ${interval({value: c.score, low: c.scoreLow, high: c.scoreHigh})}`
                                   }),
                                   badge(c.verdict, 'verdict')) :
                                 '–';
                       },
                     })),
  ];
}

function sideRows(disorders) {
  const lookup = disorders.map((d) => new Map(d.candidates.map((c) => [c.drug, c])));
  return data.drugs
      .map((drug, i) => {
        const each = lookup.map((m) => m.get(i)),
              best = each.filter(Boolean).sort((a, b) => known(b.score) - known(a.score) || a.rank - b.rank)[0];
        return best ? {...best, each, home: each.indexOf(best)} : null;
      })
      .filter(Boolean)
      .sort((a, b) => known(b.score) - known(a.score) || a.rank - b.rank);
}

function createCandidates(disorders) {
  const state = {tab: 0, text: '', verdicts: new Set(VERDICTS), unrecorded: false, sort: {key: null, way: 1}, shown: PAGE_ROWS};
  const side = disorders.length > 1 ? sideRows(disorders) : null;
  const body = h('div', {class: 'candidates-body', role: 'tabpanel', id: 'candidates-panel'});
  const count = h('p', {class: 'count', 'aria-live': 'polite'});
  const isSide = () => state.tab === disorders.length;

  function visible() {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    const source = isSide() ? side : disorders[state.tab].candidates;
    return source.filter((r) => {
      const drug = data.drugs[r.drug], hay = [
        r.name, drug.id, drug.mechanism || '', drug.atc4 || '', r.flags.join(' '), targetNames(drug)
      ].join(' ').toLowerCase();
      const verdicts = isSide() ? r.each.filter(Boolean).map((c) => c.verdict) : [r.verdict];
      return words.every((w) => hay.includes(w)) && verdicts.some((v) => state.verdicts.has(v)) &&
          !(state.unrecorded && (isSide() ? r.each.some((c) => c && c.label) : r.label));
    });
  }

  function sorted(rows, columns) {
    const column = columns.find((c) => c.key === state.sort.key);
    if (!column) return rows;
    const missing = (v) => v === null || v === undefined || (typeof v === 'number' && !Number.isFinite(v));
    return rows.map((row, i) => [column.value(row), i, row])
        .sort(([a, i], [b, j]) => {
          if (missing(a) || missing(b)) return missing(a) && missing(b) ? i - j : missing(a) ? 1 : -1;
          return (a < b ? -1 : a > b ? 1 : 0) * state.sort.way || i - j;
        })
        .map((x) => x[2]);
  }

  function sortBy(column) {
    state.sort = state.sort.key === column.key ? {key: column.key, way: -state.sort.way} : {key: column.key, way: column.first};
    draw();
    const again = body.querySelector(`th[data-key="${column.key}"] button`);
    if (again) again.focus();
  }

  function draw() {
    const columns = isSide() ? sideColumns(disorders) : columnsOf(disorders[state.tab]);
    const rows = sorted(visible(), columns), cut = rows.slice(0, state.shown);
    const active = (c) => state.sort.key === c.key || (!state.sort.key && (c.key === 'rank' || c.key === 'best'));
    const head =
        h('tr', {},
          columns.map(
              (c) =>
                  h('th', {
                    scope: 'col',
                    title: c.title,
                    'data-key': c.key,
                    class: c.number ? 'number' : null,
                    'aria-sort': active(c) ? ((state.sort.key ? state.sort.way : 1) > 0 ? 'ascending' : 'descending') : 'none'
                  },
                    h('button', {type: 'button', onclick: () => sortBy(c)}, c.label))));
    const lines = cut.map((r) => {
      const line =
          h('tr', {class: 'candidate', 'data-drug': r.drug},
            columns.map(
                (c) =>
                    h(c.head ? 'th' : 'td', {
                      scope: c.head ? 'row' : null,
                      class: [c.number ? 'number' : '', 'c-' + c.key.replace(/\d+$/, '')].join(' ').trim(),
                      'data-label': c.label
                    },
                      c.cell(r))));
      line.addEventListener(
          'click',
          () => openDrawer(
              disorders[isSide() ? r.home : state.tab], isSide() ? r.each[r.home] : r, line.querySelector('button.open')));
      return line;
    });
    body.replaceChildren(
        h('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'candidates'},
          h('table', {class: 'candidates' + (isSide() ? ' side' : '')}, h('thead', {}, head), h('tbody', {}, lines))),
        rows.length > cut.length ? h('button', {
          type: 'button',
          class: 'plain-button more',
          onclick: () => {
            state.shown += 5 * PAGE_ROWS;
            draw();
          }
        },
                                     `Show more (${whole(rows.length - cut.length)} left)`) :
                                   '');
    count.textContent = `${whole(rows.length)} of ${whole(isSide() ? side.length : disorders[state.tab].n)} drugs` +
        (isSide() || disorders[state.tab].scored === disorders[state.tab].n ?
             '' :
             ` (${whole(disorders[state.tab].scored)} with a score)`) +
        (rows.length > cut.length ? `, the first ${whole(cut.length)} drawn` : '');
    body.setAttribute('aria-labelledby', 'tab-' + state.tab);
    tabs.querySelectorAll('[role=tab]').forEach((t, i) => {
      t.setAttribute('aria-selected', String(i === state.tab));
      t.tabIndex = i === state.tab ? 0 : -1;
    });
  }

  function choose(i, focus) {
    Object.assign(state, {tab: i, shown: PAGE_ROWS, sort: {key: null, way: 1}});
    draw();
    if (focus) tabs.querySelectorAll('[role=tab]')[i].focus();
  }

  const names = disorders.map((d) => d.name).concat(side ? ['Side by side'] : []);
  const tabs =
      h('div', {
        role: 'tablist',
        'aria-label': 'disorder',
        class: 'tabs',
        onkeydown: (e) => {
          const way = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
          if (way) {
            e.preventDefault();
            choose((state.tab + way + names.length) % names.length, true);
          }
        }
      },
        names.map(
            (name, i) =>
                h('button',
                  {type: 'button', role: 'tab', id: 'tab-' + i, 'aria-controls': 'candidates-panel', onclick: () => choose(i)},
                  name)));

  const present = new Set(disorders.flatMap((d) => d.candidates.map((c) => c.verdict)));
  const search = h('input', {
    type: 'search',
    placeholder: 'drug, class, target, flag …',
    'aria-label': 'search the candidates',
    oninput: (e) => {
      state.text = e.target.value;
      state.shown = PAGE_ROWS;
      draw();
    }
  });
  const filters =
      h('fieldset', {class: 'verdicts'}, h('legend', {}, 'verdict'),
        VERDICTS.filter((v) => present.has(v))
            .map(
                (v) =>
                    h('label', {}, h('input', {
                        type: 'checkbox',
                        checked: true,
                        value: v,
                        onchange: (e) => {
                          if (e.target.checked)
                            state.verdicts.add(v);
                          else
                            state.verdicts.delete(v);
                          draw();
                        }
                      }),
                      badge(v, 'verdict'))));
  const recorded =
      h('label', {class: 'toggle'}, h('input', {
          type: 'checkbox',
          onchange: (e) => {
            state.unrecorded = e.target.checked;
            draw();
          }
        }),
        'hide recorded drugs');
  const legend = h(
      'p', {class: 'legend'},
      data.channels.map(
          (c, i) => c.role === 'VOTE' ? h('span', {}, h('span', {class: 'dot', style: {'--c': channelColour(i)}}), nice(c.name)) :
                                        null));
  const node =
      h('div', {class: 'candidates-box'}, tabs, h('div', {class: 'controls'}, search, filters, recorded),
        h('div', {class: 'above'}, legend, count), body);
  draw();
  return {node, state, choose, draw, search, filters, body};
}

function targetNames(drug) {
  if (drug.haystack === undefined)
    drug.haystack = drug.rows
                        .map((r) => {
                          const t = data.targets[r[0]] || {};
                          return `${t.symbol || ''} ${t.name || ''}`;
                        })
                        .join(' ');
  return drug.haystack;
}
