/* Stripe(key): what a page calls. */

class StripeClient {
  constructor(key, options) {
    this._key = key;
    this._locale = options && options.locale;
  }

  elements(options) {
    return new Elements(this._key, this._locale, options || {});
  }

  confirmPayment(options) {
    return this._confirm(kinds.pi, 'stripe.confirmPayment()', options || {});
  }

  confirmSetup(options) {
    return this._confirm(kinds.seti, 'stripe.confirmSetup()', options || {});
  }

  async _confirm(kind, caller, options) {
    const elements = options.elements;
    const given = elements instanceof Elements ? elements._options.clientSecret : undefined;
    const handle = secretParts(options.clientSecret || given, kind, caller);
    const params = Object.assign({}, options.confirmParams);
    need(options.redirect === 'if_required' || params.return_url,
      caller + ' needs confirmParams.return_url unless redirect is "if_required".');
    const fields = Object.assign({ key: this._key, client_secret: handle.secret, use_stripe_sdk: true }, params);
    let confirmed;
    if (elements !== undefined) {
      need(elements instanceof Elements && elements._payment, caller + ' needs an elements instance with a mounted Payment Element.');
      need(given !== undefined || elements._submitted,
        'elements.submit() must be called before ' + caller + '. Call elements.submit() as soon as your customer presses pay.');
      confirmed = await elements._payment._ask('confirm', {
        path: '/v1/' + kind.path + '/' + encodeURIComponent(handle.id) + '/confirm', fields: flatten(fields, '', []),
      });
    } else {
      need(params.payment_method, caller + ' needs elements or confirmParams.payment_method.');
      confirmed = await call('POST', '/v1/' + kind.path + '/' + encodeURIComponent(handle.id) + '/confirm', fields);
    }
    if (confirmed.error) {
      return { error: confirmed.error };
    }
    return settle(this._key, handle, confirmed, { redirect: options.redirect, returnURL: params.return_url });
  }

  async confirmCardPayment(clientSecret, data, options) {
    return this._confirmCard(kinds.pi, 'stripe.confirmCardPayment()', clientSecret, data, options);
  }

  async confirmCardSetup(clientSecret, data, options) {
    return this._confirmCard(kinds.seti, 'stripe.confirmCardSetup()', clientSecret, data, options);
  }

  async _confirmCard(kind, caller, clientSecret, data, options) {
    const handle = secretParts(clientSecret, kind, caller);
    const choice = Object.assign({ redirect: 'if_required' }, options);
    if (!data || data.payment_method === undefined) {
      // Without a method this goes on with what the intent already has.
      const found = await retrieve(this._key, handle);
      if (found.error) {
        return { error: found.error };
      }
      if (found.status !== 'requires_confirmation') {
        return settle(this._key, handle, found, choice);
      }
    }
    const fields = { key: this._key, client_secret: clientSecret, use_stripe_sdk: true };
    if (data && typeof data.payment_method === 'string') {
      fields.payment_method = data.payment_method;
    } else if (data && data.payment_method) {
      need(data.payment_method.card && data.payment_method.card.token,
        caller + ' takes the id of a payment method or a card token here; card fields belong to the Payment Element.');
      fields.payment_method_data = Object.assign({ type: 'card' }, data.payment_method);
    }
    if (data && data.return_url) {
      fields.return_url = data.return_url;
    }
    const confirmed = await call('POST', '/v1/' + kind.path + '/' + encodeURIComponent(handle.id) + '/confirm', fields);
    return confirmed.error ? { error: confirmed.error } : settle(this._key, handle, confirmed, choice);
  }

  async handleNextAction(options) {
    const handle = secretParts(options && options.clientSecret, null, 'stripe.handleNextAction()');
    const found = await retrieve(this._key, handle);
    if (found.error) {
      return { error: found.error };
    }
    return settle(this._key, handle, found, { redirect: 'if_required' });
  }

  async handleCardAction(clientSecret) {
    const handle = secretParts(clientSecret, kinds.pi, 'stripe.handleCardAction()');
    return this.handleNextAction({ clientSecret: handle.secret });
  }

  retrievePaymentIntent(clientSecret) {
    return this._retrieve(kinds.pi, 'stripe.retrievePaymentIntent()', clientSecret);
  }

  retrieveSetupIntent(clientSecret) {
    return this._retrieve(kinds.seti, 'stripe.retrieveSetupIntent()', clientSecret);
  }

  async _retrieve(kind, caller, clientSecret) {
    const found = await retrieve(this._key, secretParts(clientSecret, kind, caller));
    return found.error ? { error: found.error } : { [kind.result]: found };
  }

  registerAppInfo() {}
}

function Stripe(key, options) {
  need(typeof key === 'string' && key !== '', 'Missing value for Stripe(): apiKey should be a string.');
  need(!key.startsWith('sk_'), 'You should not use your secret key with Stripe.js. Please pass a publishable key instead.');
  need(key.startsWith('pk_test_'), 'The sandbox takes publishable test keys only: pk_test_….');
  return new StripeClient(key, options);
}
Stripe.version = 3;

window.Stripe = Stripe;
