/* figures.js - colours and the small drawings: intervals, contributions, ranks of known drugs, values against a null. */
'use strict';

/* Okabe and Ito (2008): told apart by every common kind of colour vision. */
const PALETTE = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#8A7F00', '#7A7A7A'];

/* Blue - pale - vermilion, even in lightness on both sides. t in [-1, 1]. */
const DIVERGING = [
  [8, 48, 107], [33, 102, 172], [103, 169, 207], [198, 219, 232], [244, 242, 236], [250, 215, 172], [240, 150, 70], [200, 82, 10],
  [110, 36, 0]
];

function diverging(t) {
  const x = (Math.max(-1, Math.min(1, t)) + 1) / 2 * (DIVERGING.length - 1);
  const i = Math.min(DIVERGING.length - 2, Math.floor(x)), f = x - i;
  return DIVERGING[i].map((a, k) => Math.round(a + f * (DIVERGING[i + 1][k] - a)));
}

const picture = (w, hgt, label, ...children) =>
    svg('svg', {viewBox: `0 0 ${w} ${hgt}`, width: w, height: hgt, role: 'img', 'aria-label': label, class: 'figure'},
        svg('title', {}, label), children);

/* A point with its interval on a scale [min, max]; `zero` draws a reference line. */
function intervalBar({value, low, high, min, max, zero, width = 120, label = ''}) {
  const pad = 5, x = (v) => pad + (width - 2 * pad) * Math.max(0, Math.min(1, (v - min) / (max - min || 1)));
  return picture(
      width, 18, label, svg('line', {x1: pad, x2: width - pad, y1: 9, y2: 9, class: 'track'}),
      known(zero) ? svg('line', {x1: x(zero), x2: x(zero), y1: 2, y2: 16, class: 'zero'}) : null,
      known(low) && known(high) ? svg('line', {x1: x(low), x2: x(high), y1: 9, y2: 9, class: 'range'}) : null,
      known(value) ? svg('circle', {cx: x(value), cy: 9, r: 3.6, class: 'point'}) : null);
}

/* Contributions of the voting channels, positive to the right of zero, negative to the left. */
function contributionBar(parts, reach, width = 150) {
  const scale = (width / 2 - 3) / (reach || 1), mid = width / 2;
  let right = mid, left = mid;
  const label = parts.filter((p) => known(p.value)).map((p) => `${nice(p.name)} ${signed(p.value)}`).join(', ') ||
      'no channel has evidence';
  const bars = parts.filter((p) => known(p.value) && p.value !== 0).map((p) => {
    const w = Math.abs(p.value) * scale, x = p.value > 0 ? right : left - w;
    if (p.value > 0)
      right += w;
    else
      left -= w;
    return svg('rect', {x, y: 4, width: Math.max(0.5, w), height: 10, fill: p.colour});
  });
  return picture(
      width, 18, label, svg('line', {x1: 2, x2: width - 2, y1: 9, y2: 9, class: 'track'}), bars,
      svg('line', {x1: mid, x2: mid, y1: 1, y2: 17, class: 'zero'}));
}

/* One small column per baseline: its percentile among the disorder's drugs. */
function percentileGlyph(parts) {
  const w = parts.length * 9 + 2;
  return picture(
      w, 18,
      parts.map((p) => `${nice(p.name)}: ${known(p.value) ? 'percentile ' + Math.round(100 * p.value) : 'none'}`).join(', '),
      parts.map(
          (p, i) =>
              [svg('rect', {x: 1 + 9 * i, y: 1, width: 7, height: 16, class: 'well'}),
               known(p.value) ?
                   svg('rect',
                       {x: 1 + 9 * i, y: 17 - 16 * p.value, width: 7, height: Math.max(1, 16 * p.value), class: 'level'}) :
                   null]));
}

/* Measured targets among those with a map, as a filled ring. */
function coverageRing(share) {
  const r = 6, c = 2 * Math.PI * r;
  return picture(
      18, 18, `coverage ${percent(share)}`, svg('circle', {cx: 9, cy: 9, r, class: 'ring-well'}),
      svg('circle',
          {cx: 9, cy: 9, r, class: 'ring', 'stroke-dasharray': `${c * Math.min(1, share)} ${c}`, transform: 'rotate(-90 9 9)'}));
}

const STATUS_CLASS = {
  approved: 'approved',
  symptomatic: 'approved',
  contraindicated: 'worsening',
  failed: 'failed',
  investigational: 'investigational'
};

/* Where labelled drugs fell between the first and the last rank. */
function rankStrip(labelled, n, width = 640) {
  const pad = 26, x = (rank) => pad + (width - 2 * pad) * (rank - 1) / Math.max(1, n - 1);
  const rows = [['approved', 'standard treatments'], ['worsening', 'known to worsen'], ['failed', 'recorded as failed']].filter(
      ([kind]) => labelled.some((l) => STATUS_CLASS[l.status] === kind));
  const height = 36 * rows.length + 28;
  const marks = rows.map(([kind, title], i) => {
    const y = 32 + 36 * i;
    return [
      svg('text', {x: pad, y: y - 11, class: 'small'}, title),
      svg('line', {x1: pad, x2: width - pad, y1: y, y2: y, class: 'track'}),
      labelled.filter((l) => STATUS_CLASS[l.status] === kind)
          .map(
              (l) =>
                  svg('line', {x1: x(l.rank), x2: x(l.rank), y1: y - 6, y2: y + 6, class: 'mark ' + kind},
                      svg('title', {}, `${l.name || l.drug_id}: rank ${l.rank} of ${n}`)))
    ];
  });
  return picture(
      width, height, `ranks of ${plural(labelled.length, 'labelled drug')} among ${n}`,
      svg('rect', {x: pad, y: 6, width: (width - 2 * pad) * 0.1, height: height - 22, class: 'top-tenth'}), marks,
      svg('text', {x: pad, y: height - 3, class: 'small'}, 'rank 1'),
      svg('text', {x: width - pad, y: height - 3, class: 'small', 'text-anchor': 'end'}, `rank ${whole(n)}`));
}

/* A value in [0, 1] with its interval over the range that chance or null maps give, and baselines as ticks. */
function againstNull({value, low, high, nullLow, nullHigh, ticks = [], chance = 0.5, width = 300, label = ''}) {
  const pad = 12, x = (v) => pad + (width - 2 * pad) * Math.max(0, Math.min(1, v)), y = 15;
  return picture(
      width, 50, label,
      known(nullLow) && known(nullHigh) ?
          svg('rect', {x: x(nullLow), y: y - 8, width: x(nullHigh) - x(nullLow), height: 16, class: 'null-range'}) :
          null,
      svg('line', {x1: pad, x2: width - pad, y1: y, y2: y, class: 'track'}),
      known(chance) ? svg('line', {x1: x(chance), x2: x(chance), y1: y - 10, y2: y + 10, class: 'zero'}) : null,
      ticks.filter((t) => known(t.value))
          .map(
              (t) =>
                  svg('path', {d: `M${x(t.value)} ${y + 10} l-4 7 h8 z`, class: 'tick'},
                      svg('title', {}, `${t.name} ${num(t.value)}`))),
      known(low) && known(high) ? svg('line', {x1: x(low), x2: x(high), y1: y, y2: y, class: 'range'}) : null,
      known(value) ? svg('circle', {cx: x(value), cy: y, r: 4.5, class: 'point'}) : null,
      [0, 0.5, 1].map(
          (v) =>
              svg('text',
                  {x: x(v),
                   y: 48,
                   class: 'small',
                   'text-anchor': v === 0 ? 'start' :
                       v === 1            ? 'end' :
                                            'middle'},
                  String(v))));
}
