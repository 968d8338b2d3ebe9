// The customer pages' own script. Every page works without it, but for the processor's card fields.
// It talks to Stripe.js by that script's published interface alone, and to our own addresses.
(() => {
  'use strict';

  const find = (selector, root = document) => root.querySelector(selector);

  const wordsBefore = new WeakMap();

  // What goes on is said to who does not see it, without moving them.
  const say = (words) => { find('[data-said]').textContent = words; };

  // A press during work must not send twice; the server would take it only once, but the reader should see why.
  const work = (form, on) => {
    const button = find('button.main-act', form);
    form.toggleAttribute('data-working', on);
    say(on && form.dataset.busy || '');
    if (!button) return;
    const words = [...button.children].find((part) => !part.hidden) || button;
    if (on) {
      wordsBefore.set(button, [...words.childNodes]);
      if (form.dataset.busy) words.textContent = form.dataset.busy;
      button.setAttribute('aria-disabled', 'true');
    } else {
      if (wordsBefore.has(button)) words.replaceChildren(...wordsBefore.get(button));
      button.removeAttribute('aria-disabled');
    }
  };

  // A failure is told where a screen reader hears it, in the title, and with the focus on it.
  const tell = (form, message) => {
    const place = find('[data-fault]');
    place.lastElementChild.textContent = message || form.dataset.failed;
    place.hidden = false;
    place.focus();
    if (form.dataset.errorTitle) document.title = form.dataset.errorTitle;
  };
  const untell = () => { find('[data-fault]').hidden = true; };

  // What the customer may read of Stripe's own words: those about the card and what was typed.
  const readable = (error) =>
    error && (error.type === 'card_error' || error.type === 'validation_error') ? error.message : '';

  // Failed is an answer of our server that has words for the reader.
  class Failed extends Error {}

  const ask = async (address, form) => {
    const answer = await fetch(address, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { Accept: 'application/json' },
      body: new URLSearchParams(new FormData(form)),
    });
    const body = await answer.json();
    if (body.redirect) {
      location.assign(body.redirect);
      return new Promise(() => {});
    }
    if (!answer.ok || !body.client_secret) throw new Failed(body.message || '');
    return body.client_secret;
  };

  // Stripe's fields want plain colours, while ours are computed from the merchant's two: the browser paints them.
  const look = () => {
    const pixel = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const probe = document.body.appendChild(document.createElement('span'));
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      pixel.fillStyle = getComputedStyle(probe).color;
      pixel.fillRect(0, 0, 1, 1);
      const [r, g, b] = pixel.getImageData(0, 0, 1, 1).data;
      return `#${[r, g, b].map((n) => n.toString(16).padStart(2, '0')).join('')}`;
    };
    const style = getComputedStyle(document.body);
    const appearance = {
      theme: matchMedia('(prefers-color-scheme: dark)').matches ? 'night' : 'stripe',
      variables: {
        colorPrimary: colour('accent'), colorBackground: colour('card'), colorText: colour('ink'),
        colorTextSecondary: colour('muted'), colorTextPlaceholder: colour('muted'), colorDanger: colour('bad'),
        fontFamily: style.fontFamily, fontSizeBase: style.fontSize, borderRadius: '10px', spacingUnit: '4px',
      },
      rules: { '.Input': { border: `1px solid ${colour('edge')}`, boxShadow: 'none' }, '.Label': { fontWeight: '600' } },
    };
    probe.remove();
    return appearance;
  };

  // The button and the words about saving stand there only when there are fields to type into.
  const ready = (form, there) => {
    find('[data-waiting]', form).hidden = true;
    form.querySelectorAll('[data-needs-script]').forEach((part) => { part.hidden = !there; });
  };

  const blocked = (form) => {
    const note = find('[data-blocked]');
    note.hidden = false;
    say(note.textContent);
    find('#payment-element').hidden = true;
    ready(form, false);
  };

  // Stripe's types of payment method that debit a bank account, in days and under words of their own.
  const debits = ['sepa_debit', 'us_bank_account', 'bacs_debit', 'au_becs_debit', 'acss_debit', 'ideal', 'bancontact'];

  // What was chosen in the fields decides what the button and the words beside it say, and what is agreed to.
  const chosen = (form, type) => {
    const kind = debits.includes(type) ? 'debit' : 'card';
    if (!find('[data-for="debit"]')) return;
    form.elements.kind.value = kind;
    document.querySelectorAll('[data-for]').forEach((part) => { part.hidden = part.dataset.for !== kind; });
  };

  // Nothing is made at Stripe until the button is pressed: the fields are drawn from the currency alone.
  const card = (form) => {
    const place = find('#payment-element', form);
    const { key, currency, intent, locale, methods } = place.dataset;
    if (!window.Stripe) {
      blocked(form);
      return;
    }
    const stripe = window.Stripe(key, { locale });
    const options = { mode: 'setup', currency, appearance: look() };
    if (methods) options.paymentMethodTypes = methods.split(' ');
    // As the SetupIntent asks for it: small deposits that prove a typed account take days.
    if ('once' in place.dataset && methods.split(' ').includes('us_bank_account')) {
      options.paymentMethodOptions = { us_bank_account: { verification_method: 'instant' } };
    }
    const elements = stripe.elements(options);
    const payment = elements.create('payment', { layout: 'tabs' });
    payment.on('ready', () => ready(form, true));
    payment.on('loaderror', () => blocked(form));
    payment.on('change', (event) => chosen(form, event.value.type));
    payment.mount(place);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => elements.update({ appearance: look() }));

    const save = async () => {
      const typed = await elements.submit();
      if (typed.error) {
        throw new Failed(readable(typed.error));
      }
      const clientSecret = await ask(intent, form);
      const { error, setupIntent } = await stripe.confirmSetup({
        elements, clientSecret, confirmParams: { return_url: place.dataset.return }, redirect: 'if_required',
      });
      // A SetupIntent that was confirmed already (a lost answer, another tab) is as good as one confirmed now.
      const made = setupIntent || (error && error.setup_intent);
      if (!made || (error && made.status !== 'succeeded')) throw new Failed(readable(error));
      form.elements.setup_intent.value = made.id;
      form.submit();
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (form.hasAttribute('data-working')) return;
      untell();
      work(form, true);
      save().catch((failure) => {
        work(form, false);
        tell(form, failure instanceof Failed ? failure.message : '');
      });
    });
  };

  // Whatever the bank's dialogue ends with, the server asks Stripe and tells what is true.
  const approve = (form) => {
    if (!window.Stripe) return; // the form itself leads to Stripe's own page
    const stripe = window.Stripe(form.dataset.key, { locale: form.dataset.locale });
    const question = async () => {
      const clientSecret = await ask(form.dataset.approve, form);
      const { error, paymentIntent } = await stripe.handleNextAction({ clientSecret });
      if (error && !error.payment_intent && error.type !== 'card_error') throw new Failed(readable(error));
      if (!error && paymentIntent.status === 'requires_action') throw new Failed(form.dataset.closed);
      find('#approve-done').submit();
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (form.hasAttribute('data-working')) return;
      untell();
      work(form, true);
      question().catch((failure) => {
        work(form, false);
        tell(form, failure instanceof Failed ? failure.message : '');
      });
    });
    // The reader has just pressed to pay: the bank asks right away, but only once, also after a reload.
    if (form.hasAttribute('data-go')) {
      history.replaceState(history.state, '', location.pathname);
      form.requestSubmit();
    }
  };

  // Looks again, ever more slowly and not while nobody is looking; the link on the page does the same. The page comes anew,
  // and is read out anew, only once there is something else to say.
  const refresh = (place) => {
    const tries = (history.state && history.state.tries) || 0;
    if (tries > 12) return;
    history.replaceState({ tries: tries + 1 }, '');
    const same = async () => {
      const answer = await fetch(location.href, { credentials: 'same-origin' });
      return answer.url === location.href && (await answer.text()).includes(' data-refresh=');
    };
    const again = () => {
      if (document.hidden) document.addEventListener('visibilitychange', again, { once: true });
      else same().catch(() => true).then((waits) => { if (waits) refresh(place); else location.reload(); });
    };
    setTimeout(again, Number(place.dataset.refresh) * 1000 * 1.4 ** tries);
  };

  const cardForm = find('form[data-card]');
  const approveForm = find('form[data-approve]');
  const autoForm = find('form[data-auto]');
  const refreshing = find('[data-refresh]');
  if (cardForm) card(cardForm);
  if (approveForm) approve(approveForm);
  if (refreshing) refresh(refreshing);

  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented) return;
    if (form.hasAttribute('data-working')) event.preventDefault();
    else work(form, true);
  });
  // The browser's way back brings the page as it was left: at work.
  addEventListener('pageshow', (event) => {
    if (event.persisted) document.querySelectorAll('form[data-working]').forEach((form) => work(form, false));
  });
  // An open menu closes when the reader turns elsewhere, by hand or by keyboard: it would lie over what they turn to.
  ['click', 'focusin'].forEach((turn) => addEventListener(turn, (event) => {
    document.querySelectorAll('details.menu[open]').forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  }));
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    document.querySelectorAll('details.menu[open]').forEach((menu) => {
      menu.open = false;
      find('summary', menu).focus();
    });
  });

  if (autoForm) autoForm.requestSubmit();
})();
