/*! Sollecito, the notice inside a merchant's app: one file, no cookies.

  <script src="https://pay.example.com/embed/v1.js" async></script>
  <pay-banner token="eyJ…"></pay-banner>
or
  PayBanner.mount({ token: () => fetch('/billing-token').then(r => r.text()), onState, onPaid, onError })

Attributes: token · position="top" (default), "sticky", "bottom" · policy="banner" (default), "wall" · theme="light",
"dark" (default: the page's color-scheme) · demo (every state, or the one named, without a token).
Look: --pay-banner-accent, -on-accent, -card, -ink, -muted, -line, -firm, -font; parts banner, title, body, pay, dismiss.

Needs this script's origin in script-src and connect-src. When anything fails it shows nothing, and the console says so. */
(() => {
  'use strict';
  if (customElements.get('pay-banner')) return;

  const script = document.currentScript || document.querySelector('script[src*="/embed/v1"]');
  const portal = path => new URL('v1/' + path, script.src).href;
  const patience = 3000, longest = 300, shortest = 5; // ms a call may take; s between two looks

  const css = `
:host { all: initial; display: block;
  --a: var(--pay-banner-accent, #14566b); --oa: var(--pay-banner-on-accent, #fff); --c: var(--pay-banner-card, #fefefd);
  --i: var(--pay-banner-ink, #1e1c19); --m: var(--pay-banner-muted, #5f5a52); --l: var(--pay-banner-line, #d8d6d1); --f: var(--pay-banner-firm, #f8efe6); --w: #7d4f00 }
@supports (color: light-dark(#000, #fff)) { :host {
  --a: var(--pay-banner-accent, light-dark(#14566b, #8ecbdd)); --oa: var(--pay-banner-on-accent, light-dark(#fff, #06252f)); --c: var(--pay-banner-card, light-dark(#fefefd, #1f1e1c));
  --i: var(--pay-banner-ink, light-dark(#1e1c19, #eeeae3)); --m: var(--pay-banner-muted, light-dark(#5f5a52, #b3aca1)); --l: var(--pay-banner-line, light-dark(#d8d6d1, #3d3a36)); --f: var(--pay-banner-firm, light-dark(#f8efe6, #362a1b)); --w: light-dark(#7d4f00, #e3b566);
  color-scheme: inherit } }
:host([theme=light]) { color-scheme: light } :host([theme=dark]) { color-scheme: dark }
:host([position=sticky]) { position: sticky; inset-block-start: 0; z-index: 2147483000 }
:host([position=bottom]) { position: fixed; inset-inline: 0; inset-block-end: 0; z-index: 2147483000 }
* { box-sizing: border-box; margin: 0 }
section, dialog { font: 400 14px/1.45 var(--pay-banner-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Arabic", sans-serif); color: var(--i); background: var(--c) }
section { container: banner / inline-size; border-block-end: 1px solid var(--l) }
:host([position=bottom]) section { border-block: 1px solid var(--l); border-block-end: 0 }
section.firm { background: var(--f) }
section > div { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; padding: 8px 16px }
svg { inline-size: 20px; block-size: 20px; flex: none; fill: none; stroke: var(--w); stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round }
p { flex: 1 1 16rem; min-inline-size: 0; overflow-wrap: anywhere }
b { font-weight: 650 }
.acts { display: flex; flex-wrap: wrap; gap: 8px }
@container banner (inline-size < 40rem) { p { flex-basis: calc(100% - 32px) } .acts { flex: 1 0 100%; padding-inline-start: 32px } svg { align-self: start } .quiet:first-child { margin-inline-start: -12px } }
button { font: inherit; font-weight: 600; line-height: 1.25; min-block-size: 44px; padding: 4px 18px; border: 1px solid var(--a); border-radius: 10px; background: var(--a); color: var(--oa); cursor: pointer }
button.quiet { background: none; border-color: transparent; color: var(--a); padding-inline: 12px }
button:hover { text-decoration: underline; text-underline-offset: .2em }
button[aria-disabled=true] { opacity: .65; cursor: default }
:focus-visible { outline: 3px solid var(--a); outline-offset: 2px; border-radius: 6px }
dialog { inline-size: min(28rem, 100% - 2rem); margin: auto; padding: 24px; border: 1px solid var(--l); border-radius: 16px; font-size: 16px }
dialog::backdrop { background: #1c1a1799 }
dialog h2 { font-size: 20px; line-height: 1.25; font-weight: 650; letter-spacing: -.018em }
dialog .sum { margin-block: 16px; font-size: 44px; line-height: 1.1; font-weight: 650; font-variant-numeric: tabular-nums }
dialog p { margin-block-start: 8px } dialog button { inline-size: 100%; min-block-size: 52px; font-size: 17px } dialog button.quiet { min-block-size: 44px; font-size: 16px; margin-block-start: 8px }
slot { display: block; text-align: center; margin-block-start: 12px; font-size: 14px; color: var(--m) }
@media (forced-colors: active) { button { border-color: ButtonText } }
@media print { :host { display: none } }`;

  const icons = { // one path each, on a grid of 20
    card: 'M4.5 4.5h11a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-11a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM2.5 8.5h15M5.5 12.5h3',
    clock: 'M10 3a7 7 0 1 1 0 14a7 7 0 1 1 0-14M10 6v4.3l2.8 1.7',
    info: 'M10 2.8a7.2 7.2 0 1 1 0 14.4a7.2 7.2 0 1 1 0-14.4M10 9.3v4.2M10 6.5v.1',
  };
  const firm = ['grace_ending', 'suspended', 'restricted'];

  // What the demo attribute shows.
  const pay = { cta: 'Pay €29.00', dismiss: 'Not today' };
  const samples = Object.entries({
    notice: { title: 'Your last payment didn’t go through.', body: 'Everything works until Tuesday 18 November.' },
    past_due: { title: 'A payment is still open.', body: 'Everything works until Tuesday 18 November.' },
    action_required: { title: 'Your bank asks you to approve a payment.', body: 'Nothing has been taken yet; approving takes a minute.', cta: 'Approve €29.00' },
    processing: { title: 'Your payment is under way.', body: 'Your bank needs a few days. There is nothing more to do.', cta: '', dismiss: 'Close' },
    grace_ending: { title: 'Your access will be limited on Tuesday 18 November.', body: '€29.00 is open; if you pay before then, everything stays as it is.' },
    suspended: { title: 'Your access is paused.', body: '€29.00 is open; paying restores everything.', dismiss: '' },
    member: { title: 'A payment for your team needs attention.', body: 'Please tell whoever looks after billing.', cta: '', dismiss: 'Close' },
  }).map(([state, text]) => ({ state, text: { ...pay, ...text }, dismissible: true }));

  const make = (name, props, ...children) => {
    const node = Object.assign(document.createElement(name), props);
    node.append(...children.filter(Boolean));
    return node;
  };

  const icon = name => {
    const draw = n => document.createElementNS('http://www.w3.org/2000/svg', n);
    const svg = draw('svg'), path = draw('path');
    svg.setAttribute('viewBox', '0 0 20 20');
    svg.setAttribute('aria-hidden', 'true');
    path.setAttribute('d', icons[name]);
    svg.append(path);
    return svg;
  };

  // part names an element for the merchant's ::part() rules.
  const part = (name, node) => { node.setAttribute('part', name); return node; };

  class PayBanner extends HTMLElement {
    static observedAttributes = ['token', 'demo', 'policy'];
    #root = this.attachShadow({ mode: 'open' });
    #options = {};
    #state = null;    // what the portal said last, null for nothing to say
    #asked = 0;       // when it was asked last, ms
    #timer = 0;
    #round = 0;       // counts looks: late answers are dropped
    #putOff = '';     // the state the reader put off; a different one shows again
    #drawn = '';      // what stands in the page
    #reported = '';   // the state last reported as shown
    #complained = false;
    #settled = false; // nothing is owed

    constructor() {
      super();
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      this.#root.adoptedStyleSheets = [sheet];
    }

    set options(options) {
      this.#options = options || {};
      if (this.isConnected) this.refresh();
    }

    connectedCallback() {
      document.addEventListener('visibilitychange', this.#look);
      this.refresh();
    }

    disconnectedCallback() {
      document.removeEventListener('visibilitychange', this.#look);
      clearTimeout(this.#timer);
      this.#round++;
    }

    attributeChangedCallback(name, before, now) {
      if (this.isConnected && before !== now) this.refresh();
    }

    // refresh asks the portal now, also for the merchant after a change. It never rejects.
    async refresh() {
      clearTimeout(this.#timer);
      if (this.hasAttribute('demo')) {
        const wanted = this.getAttribute('demo');
        this.#root.replaceChildren(...samples.filter(s => !wanted || s.state === wanted).map(s => this.#banner(s)));
        return;
      }
      if (!this.#options.token && !this.getAttribute('token')) return;
      const round = ++this.#round;
      this.#asked = Date.now();
      let wait = longest;
      try {
        const answer = await this.#call('state');
        if (round !== this.#round) return;
        if (answer && answer.poll_s) wait = Math.min(longest, Math.max(shortest, answer.poll_s));
        this.#take(answer && answer.state !== 'ok' ? answer : null);
      } catch (error) {
        if (round !== this.#round) return;
        this.#fail(error);
      }
      this.#timer = setTimeout(this.#look, wait * 1000);
    }

    // A tab nobody looks at asks when it is looked at again.
    #look = () => {
      if (document.visibilityState !== 'visible') return;
      if (Date.now() - this.#asked < shortest * 1000) return this.#report();
      this.refresh();
    };

    // POST with a body, GET without; null for 204. A token that ran out is asked for once more from its function.
    async #call(path, body, again) {
      const source = this.#options.token;
      const token = typeof source === 'function' ? await source() : source || this.getAttribute('token');
      const headers = { Authorization: 'Bearer ' + String(token).trim() };
      if (body) headers['Content-Type'] = 'application/json';
      const control = new AbortController();
      const late = setTimeout(() => control.abort(), patience);
      try {
        const response = await fetch(portal(path), {
          method: body ? 'POST' : 'GET', headers, body: body && JSON.stringify(body), signal: control.signal,
          credentials: 'omit', cache: body ? 'no-store' : 'no-cache', keepalive: Boolean(body),
        });
        if (response.status === 401 && typeof source === 'function' && !again) return this.#call(path, body, true);
        if (!response.ok) {
          const problem = await response.json().catch(() => ({}));
          throw Object.assign(new Error(), { status: response.status, code: problem.code || 'http_' + response.status });
        }
        if (path === 'state') this.#settled = response.headers.get('Pay-State') === 'settled';
        return response.status === 200 || response.status === 201 ? await response.json() : null;
      } finally {
        clearTimeout(late);
      }
    }

    #take(state) {
      const before = this.#state;
      this.#state = state;
      if (before && !state && this.#settled) this.#tell('paid', before, this.#options.onPaid);
      this.#tell('state', state, this.#options.onState);
      this.#draw();
    }

    #tell(name, detail, listener) {
      this.dispatchEvent(new CustomEvent('pay-banner:' + name, { detail, bubbles: true, composed: true }));
      try { if (listener) listener(detail); } catch (error) { reportError(error); } // the merchant's own mistake
    }

    // The app around never suffers: nothing is shown; the console hears of it once.
    #fail(error) {
      this.#state = null;
      this.#draw();
      this.#complain(error);
    }

    #complain(error) {
      const code = error.name === 'AbortError' ? 'timeout' : typeof error.code === 'string' ? error.code : 'unreachable';
      if (!this.#complained) console.info('pay-banner: ' + code);
      this.#complained = true;
      this.#tell('error', { code }, this.#options.onError);
    }

    #draw() {
      const state = this.#state;
      const until = state && state.snoozed_until;
      const off = !state || state.state === this.#putOff || (until && new Date(typeof until === 'number' ? until * 1000 : until) > new Date());
      const key = off ? '' : JSON.stringify([state.state, state.wall, state.text, state.lang, this.getAttribute('policy')]);
      if (key === this.#drawn) return;
      this.#drawn = key;
      this.#root.querySelector('dialog')?.close(); // gives the focus back
      if (off) return this.#root.replaceChildren();
      const walled = this.getAttribute('policy') === 'wall' && (state.wall === 'soft' || state.wall === 'hard');
      const shown = walled ? this.#wall(state) : this.#banner(state);
      this.#root.replaceChildren(shown);
      if (walled) shown.showModal();
      this.#report();
    }
    // A notice counts as given only when somebody can have seen it.
    #report() {
      const state = this.#state;
      if (!state || !this.#drawn || document.visibilityState !== 'visible' || this.#reported === state.state) return;
      this.#reported = state.state;
      this.#event('shown');
    }

    #event(type) {
      return this.#call('events', { type }).catch(() => null);
    }

    #banner(state) {
      const { text = {} } = state;
      const picture = !text.cta ? 'info' : firm.includes(state.state) ? 'clock' : 'card';
      const section = part('banner', make('section', { lang: state.lang || 'en', dir: state.dir || 'ltr', className: firm.includes(state.state) ? 'firm' : '' },
        make('div', {},
          icon(picture),
          make('p', {}, part('title', make('b', { textContent: text.title || '' })), ' ', part('body', make('span', { textContent: text.body || '' }))),
          make('div', { className: 'acts' }, this.#payButton(state), this.#offButton(state)))));
      section.setAttribute('role', 'region');
      section.setAttribute('aria-label', text.label || 'Message about your plan');
      return section;
    }

    // Esc puts a soft wall off. A hard one has no way past but the merchant's own, in the slot.
    #wall(state) {
      const { text = {}, amount } = state;
      const soft = state.wall === 'soft';
      const dialog = part('wall', make('dialog', { lang: state.lang || 'en', dir: state.dir || 'ltr' },
        make('h2', { id: 'title', textContent: text.title || '' }),
        part('body', make('p', { textContent: text.body || '' })),
        amount && amount.text && make('p', { className: 'sum' }, make('bdi', { textContent: amount.text })),
        this.#payButton(state), soft && this.#offButton(state), make('slot', { name: 'ways' })));
      dialog.setAttribute('aria-labelledby', 'title');
      dialog.oncancel = event => { event.preventDefault(); if (soft) this.#off(); };
      dialog.onclose = () => dialog.isConnected && dialog.showModal(); // a second Esc closes it all the same
      return dialog;
    }

    #payButton(state) {
      return state.text && state.text.cta && part('pay', make('button', { type: 'button', textContent: state.text.cta, onclick: event => this.#pay(event.currentTarget) }));
    }

    #offButton(state) {
      return state.dismissible && state.text && state.text.dismiss &&
        part('dismiss', make('button', { type: 'button', className: 'quiet', textContent: state.text.dismiss, onclick: () => this.#off() }));
    }

    #off() {
      if (!this.#state) return;
      this.#putOff = this.#state.state;
      this.#event(this.#state.amount ? 'snoozed' : 'dismissed');
      this.#draw();
    }

    // Asked for at the press, the address works once, for minutes.
    async #pay(button) {
      if (!this.#state || button.getAttribute('aria-disabled')) return;
      button.setAttribute('aria-disabled', 'true');
      this.#event('clicked');
      try {
        const link = await this.#call('link', {});
        location.assign(link.url);
      } catch (error) {
        button.removeAttribute('aria-disabled');
        if (error.status === 401 || error.status === 403) this.refresh(); // what stands here is no longer so
        else this.#alert(this.#state && this.#state.text.failed);
        this.#complain(error);
      }
    }

    // A new node each time is told each time.
    #alert(words) {
      const body = this.#root.querySelector('[part=body]');
      if (!words || !body) return;
      for (const said of this.#root.querySelectorAll('[role=alert]')) said.remove();
      body.after(make('span', { textContent: ' ' + words }));
      body.nextSibling.setAttribute('role', 'alert');
    }
  }

  customElements.define('pay-banner', PayBanner);

  window.PayBanner = {
    // mount puts a notice first in the page, or in options.into, and answers the element.
    mount(options = {}) {
      const banner = document.createElement('pay-banner');
      for (const name of ['position', 'policy', 'theme', 'demo']) if (options[name] != null) banner.setAttribute(name, options[name]);
      banner.options = options;
      (options.into || document.body).prepend(banner);
      return banner;
    },
  };
})();
