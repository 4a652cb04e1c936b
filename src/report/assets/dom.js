/* dom.js - the document's data, small builders of HTML and SVG nodes, and how numbers are written.
 * Text always enters as text nodes: nothing from the data is ever parsed as markup. */
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const problems = [];
window.addEventListener('error', (e) => problems.push(String(e.message)));
document.addEventListener('securitypolicyviolation', (e) => problems.push('policy: ' + e.violatedDirective));

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on'))
      node.addEventListener(key.slice(2), value);
    else if (key === 'style')
      for (const [k, v] of Object.entries(value)) node.style.setProperty(k, v);
    else
      node.setAttribute(key, value === true ? '' : value);
  }
  for (const child of children.flat(4)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) =>
    fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

const known = (x) => typeof x === 'number' && Number.isFinite(x);

/* A number with a true minus sign; a dash when missing. */
function num(x, digits = 2) {
  if (!known(x)) return '–';
  const text = Math.abs(x) < 0.5 * 10 ** -digits ? (0).toFixed(digits) : x.toFixed(digits);
  return text.replace('-', '−');
}
const signed = (x, digits = 2) => (known(x) && x > 0 ? '+' : '') + num(x, digits);
const whole = (x) => (known(x) ? String(Math.round(x)).replace(/\B(?=(\d{3})+$)/g, '\u202f') : '–');
const percent = (x, digits = 0) => (known(x) ? (100 * x).toFixed(digits) + '\u202f%' : '–');
/* A share whose digits suit its size: 0.1 % of the way down is not 0 %. */
const share = (x) => percent(x, known(x) && x > 0 && (x < 0.1 || x > 0.99) && x < 1 ? 1 : 0);
const pvalue = (p) => (!known(p) ? '–' : p < 0.001 ? '< 0.001' : p.toFixed(3));
/* What each family of null maps says by itself, where there are two. */
const familyList = (g) => (g.p_map_by_null || []).length > 1 ?
    ': ' + g.p_map_by_null.map((f) => `${f.null} ${pvalue(f.p)}`).join(', ') :
    '';
const interval = (e, digits = 2) => e && known(e.low) && known(e.high) ?
    `${num(e.value, digits)} (${num(e.low, digits)} to ${num(e.high, digits)})` :
    num(e && e.value, digits);
const estimate = (x) => (x && typeof x === 'object' ? x : {value: x});
const plural = (n, word) => `${whole(n)} ${word}${n === 1 ? '' : 's'}`;
const nice = (word) => String(word).replace(/_/g, ' ');
/* 1.7e-06 as 1.7 × 10⁻⁶. */
const raised = (n) => '⁻' + String(Number(n)).replace(/\d/g, (d) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[d]);
const powers = (text) => text.replace(/e[-−](\d+)/g, (all, n) => '\u202f×\u202f10' + raised(n));
/* Names of channels as words, a true minus and powers of ten, in a sentence of the document. */
const prose = (text) => String(text || '')
                            .replace(/'([a-z_]+)'/g, (all, name) => `‘${nice(name)}’`)
                            .replace(/(^|[\s(])-(?=\d)/g, '$1−')
                            .replace(/\d(?:\.\d+)?e-\d+/g, powers);
/* A measure with its interval; where it is one half at both ends, every drug ties and nothing was measured. */
const measured = (e, digits) => (e && e.value === 0.5 && e.low === 0.5 && e.high === 0.5 ? h('span', {class: 'muted'}, '0.50, all tie') : interval(e, digits));

/* Concentrations over nine orders of magnitude, with the unit that suits. */
function molar(nM) {
  if (!known(nM)) return '–';
  const [value, unit] = nM >= 1e6 ? [nM / 1e6, 'mM'] : nM >= 1e3 ? [nM / 1e3, 'µM'] : nM >= 1 ? [nM, 'nM'] : [nM * 1e3, 'pM'];
  return `${Number(value.toPrecision(2))} ${unit}`;
}

/* Text with each `doi:10...` turned into a link. Links are the only addresses on the page; none is followed by itself. */
function cited(text) {
  return String(text || '').split(/(doi:10\.[^\s;,)]+)/).map((part) => {
    if (!part.startsWith('doi:10.')) return part;
    const doi = part.slice(4).replace(/\.$/, '');
    return [h('a', {href: 'https://doi.org/' + doi, rel: 'noreferrer noopener'}, 'doi:' + doi), part.endsWith('.') ? '.' : ''];
  });
}

function table(head, rows, options = {}) {
  return h(
      'div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': options.label || 'table'},
      h('table', {class: options.class || 'plain'}, options.caption ? h('caption', {}, options.caption) : null,
        h('thead', {},
          h('tr', {}, head.map((t) => h('th', {scope: 'col', class: t.number ? 'number' : null, title: t.title}, t.label || t)))),
        h('tbody', {},
          rows.map(
              (row) => h('tr', {}, row.map((cell, i) => h('td', {class: head[i] && head[i].number ? 'number' : null}, cell)))))));
}

function section(id, title, ...children) {
  return h(
      'section', {id, 'aria-labelledby': id + '-title'},
      h('h2', {id: id + '-title'}, title,
        document.documentElement.dataset.simulated === 'yes' ? h('span', {class: 'simulated-tag'}, 'simulated data') : null),
      children);
}

const BADGE_TEXT = {
  adds: 'image adds',
  no_signal: 'no signal',
  undetermined: 'undetermined'
};
const badge = (word, kind) => h('span', {class: `badge ${kind}-${word}`}, (kind === 'imaging' && BADGE_TEXT[word]) || nice(word));
