// Plays the merchant's page in the browser test: it asks the test server for one state of the portal after the other,
// acts like a reader, and reports what it saw. It stands in the page by the same policy as the notice itself.
'use strict';
const saw = { violations: [], told: [] };
addEventListener('securitypolicyviolation', event => saw.violations.push(event.violatedDirective));
for (const name of ['state', 'paid', 'error']) {
  addEventListener('pay-banner:' + name, event => saw.told.push(name + ':' + (event.detail ? event.detail.state || event.detail.code : 'nothing')));
}

const banner = () => document.querySelector('pay-banner');
const section = () => banner().shadowRoot.querySelector('section');
const button = name => banner().shadowRoot.querySelector('[part=' + name + ']');
const portal = scene => fetch('/scene?is=' + scene, { method: 'POST' }).then(() => banner().refresh());
const look = () => section() && {
  role: section().getAttribute('role'), label: section().getAttribute('aria-label'), dir: section().dir, lang: section().lang,
  firm: section().classList.contains('firm'), text: section().querySelector('p').textContent,
  pay: button('pay') && button('pay').textContent, dismiss: button('dismiss') && button('dismiss').textContent,
};

addEventListener('load', async () => {
  try {
    await customElements.whenDefined('pay-banner');
    await portal('notice');
    saw.notice = look();
    button('dismiss').click();
    await portal('notice');
    saw.afterDismiss = look();
    await portal('grace');
    saw.grace = look();
    await portal('nothing');
    saw.nothing = look();
    await portal('broken');
    saw.broken = look();
    await portal('member');
    saw.member = look();
    await portal('rtl');
    saw.rtl = look();
    const wall = PayBanner.mount({ policy: 'wall', token: () => 'tok' });
    await fetch('/scene?is=wall', { method: 'POST' });
    await wall.refresh();
    const dialog = wall.shadowRoot.querySelector('dialog');
    saw.wall = { modal: dialog.matches(':modal'), sum: dialog.querySelector('bdi').textContent, inert: dialog.querySelectorAll('img, script').length };
    dialog.dispatchEvent(new Event('cancel', { cancelable: true }));
    saw.wallAfterEsc = Boolean(wall.shadowRoot.querySelector('dialog'));
    wall.remove();
    await portal('notice2');
    const soon = () => new Promise(done => setTimeout(done, 20));
    const alert = () => section().querySelector('[role=alert]');
    button('pay').click(); // the first two come to nothing
    while (!alert()) await soon();
    const first = alert();
    saw.refused = look().text;
    saw.again = !button('pay').hasAttribute('aria-disabled');
    button('pay').click();
    while (alert() === first) await soon();
    saw.alerts = section().querySelectorAll('[role=alert]').length;
    await fetch('/scene?is=member', { method: 'POST' });
    button('pay').click(); // the third is refused to who may not pay any more
    while (button('pay')) await soon();
    saw.notMine = look().text;
    await portal('notice2');
    await fetch('/saw', { method: 'POST', body: JSON.stringify(saw) });
    button('pay').click();
  } catch (error) {
    await fetch('/saw', { method: 'POST', body: JSON.stringify({ failed: String(error.stack) }) });
  }
});
