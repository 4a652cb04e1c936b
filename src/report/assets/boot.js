/* boot.js - draws the page its data ask for. */
'use strict';

document.getElementById('page').append(...(data.kind === 'evaluation' ? renderEvaluation() : renderReport()).filter(Boolean));
if (document.documentElement.dataset.simulated === 'yes') document.body.append(watermark());
document.addEventListener('keydown', (e) => {
  if (e.key === 'Escape') closeDrawer();
});
window.addEventListener('beforeprint', () => document.querySelectorAll('details').forEach((d) => {
  d.open = true;
}));
if (location.hash === '#selftest') selftest();
