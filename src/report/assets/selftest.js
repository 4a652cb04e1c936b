/* selftest.js - what `#selftest` runs: the page works its own controls and says so on the root element. */
'use strict';

function check(condition, what) {
  if (!condition) throw new Error(what);
}

const drawnNames = () => [...candidates.body.querySelectorAll('tr.candidate button.open')].map((b) => b.textContent);

function press(key) {
  candidates.body.querySelector(`th[data-key="${key}"] button`).click();
  return candidates.body.querySelector(`th[data-key="${key}"]`).getAttribute('aria-sort');
}

function type(text) {
  candidates.search.value = text;
  candidates.search.dispatchEvent(new Event('input'));
}

function checkTable() {
  const first = data.disorders[0], all = drawnNames();
  check(all.length === Math.min(PAGE_ROWS, first.n), 'all candidates are drawn');
  check(all.every((name, i) => name === first.candidates[i].name), 'the first order is the rank');
  check(press('name') === 'ascending', 'aria-sort says ascending');
  const names = drawnNames().map((n) => n.toLowerCase());
  check(names.every((n, i) => i === 0 || names[i - 1] <= n), 'names are sorted');
  check(press('name') === 'descending', 'aria-sort says descending');
  press('score');
  const scores = [...candidates.body.querySelectorAll('tr.candidate')]
                     .map((t) => first.candidates.find((c) => c.drug === Number(t.dataset.drug)).score)
                     .filter(known);
  check(scores.every((s, i) => i === 0 || scores[i - 1] >= s), 'scores are sorted from the top');
}

function checkFilters() {
  const first = data.disorders[0], target = first.candidates[Math.min(2, first.n - 1)];
  type(target.name);
  check(drawnNames().includes(target.name) && drawnNames().length < Math.max(2, first.n), 'the search narrows the table');
  type('no such drug anywhere');
  check(drawnNames().length === 0, 'a search without a hit empties the table');
  type('');
  const box = candidates.filters.querySelector('input');
  box.click();
  check(
      [...candidates.body.querySelectorAll('tr.candidate')].every(
          (t) => first.candidates.find((c) => c.drug === Number(t.dataset.drug)).verdict !== box.value),
      'the verdict filter hides its rows');
  box.click();
  check(drawnNames().length === Math.min(PAGE_ROWS, first.n), 'the filter opens again');
}

function checkDrawer() {
  candidates.body.querySelector('tr.candidate').click();
  const drawer = document.getElementById('drawer');
  check(drawer && drawer.contains(document.activeElement), 'the details open and take the focus');
  const moves = data.disorders[0].candidates[0].detail.moves || [];
  check(drawer.querySelectorAll('table.moves tbody tr').length === moves.length, 'what would move it is told row by row');
  drawer.dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}));
  check(!document.getElementById('drawer'), 'Escape closes the details');
}

/* Where there is room, a table of known drugs shows its last column, the source, without being pushed aside. */
function checkKnown() {
  const tables = [...document.querySelectorAll('#known .known-table')];
  tables.forEach((t) => t.closest('details') && (t.closest('details').open = true));
  if (window.innerWidth >= 1200)
    check(tables.every((t) => t.parentElement.scrollWidth <= t.parentElement.clientWidth + 1), 'sources of known drugs are in sight');
  tables.forEach((t) => t.closest('details') && (t.closest('details').open = false));
}

function checkTabs() {
  data.disorders.forEach((d, i) => {
    candidates.choose(i);
    check(drawnNames()[0] === d.candidates[0].name, 'a tab shows its disorder');
  });
  if (data.disorders.length > 1) {
    candidates.choose(data.disorders.length);
    check(candidates.body.querySelectorAll('thead th').length === data.disorders.length + 2, 'the disorders stand side by side');
  }
  candidates.choose(0);
}

function checkViewer() {
  if (!viewer) return;
  const view = viewer.first, before = view.state.at.slice();
  check(view.labelAt(view.index(before)) > 0, 'the crosshair starts inside the brain');
  view.canvases.forEach(
      (c) => check(
          c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v, i) => i % 4 === 3 && v > 0),
          'a slice is drawn'));
  view.canvases[0].dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowUp'}));
  check(view.state.at.some((v, a) => v !== before[a]), 'the arrow keys move the crosshair');
  data.regions.forEach((r, i) => check(view.labelAt(view.index(r.mm)) === i + 1, `the centre of ${r.name} lies in its region`));
}

function selftest() {
  const root = document.documentElement;
  try {
    if (data.kind === 'report') {
      checkTable();
      checkFilters();
      checkDrawer();
      checkKnown();
      checkTabs();
      checkViewer();
    }
    check(document.querySelectorAll('main section').length >= 5, 'the sections are there');
    check(document.getElementById('warnings'), 'errors and warnings are always there');
    const menu = [...document.querySelectorAll('nav a')].map((a) => a.hash.slice(1));
    check(menu.join() === [...document.querySelectorAll('main > section')].map((s) => s.id).join(), 'the menu reaches every section, in their order');
    check(['terms', 'tripod'].every((id) => menu.includes(id) || (id === 'tripod' && !(data.evaluation && data.evaluation.tripod_ai))), 'terms and TRIPOD+AI are in the menu');
    check(
        document.documentElement.scrollWidth <= window.innerWidth + 1,
        `nothing sticks out sideways (${document.documentElement.scrollWidth} > ${window.innerWidth})`);
    check(performance.getEntriesByType('resource').length === 0, 'the network was asked for something');
    check(problems.length === 0, problems.join('; '));
    root.dataset.selftest = 'ok';
  } catch (e) {
    root.dataset.selftest = 'failed: ' + e.message;
  }
  if (window.parent !== window) window.parent.postMessage(root.dataset.selftest, '*');
}
