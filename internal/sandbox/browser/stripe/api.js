/*
 * A stand-in for Stripe.js v3: the same calls, the same answers, against the
 * sandbox this script came from. Pages written for the real one run unchanged.
 *
 * It keeps to what the real one keeps to: card data is typed into a frame of
 * the sandbox's origin and never reaches the page; every message between page
 * and frame is checked by origin and by window; nothing needs inline styles,
 * eval or HTML strings, so it runs under a strict Content-Security-Policy with
 * Trusted Types.
 */

/* What every part of the script needs: kinds of intents, mistakes of the page's
 * developer, and calls to the API. */

const home = new URL(document.currentScript.src).origin;

const kinds = {
  pi: {
    path: 'payment_intents', result: 'paymentIntent', field: 'payment_intent',
    lastError: 'last_payment_error', refused: 'payment_intent_authentication_failure',
    unexpected: 'payment_intent_unexpected_state',
  },
  seti: {
    path: 'setup_intents', result: 'setupIntent', field: 'setup_intent',
    lastError: 'last_setup_error', refused: 'setup_intent_authentication_failure',
    unexpected: 'setup_intent_unexpected_state',
  },
};

class IntegrationError extends Error {
  constructor(message) {
    super(message);
    this.name = 'IntegrationError';
  }
}

function need(condition, message) {
  if (!condition) {
    throw new IntegrationError(message);
  }
}

/* A promise nobody answers: the page is about to be left. */
function leaving() {
  return new Promise(function () {});
}

let number = 0;
function nextNumber() {
  number += 1;
  return number;
}

/* flatten turns {a: {b: [1]}} into [['a[b][0]', '1']], the API's way of writing nested fields. */
function flatten(value, name, into) {
  if (value === undefined || value === null) {
    return into;
  }
  if (typeof value === 'object') {
    for (const key of Object.keys(value)) {
      flatten(value[key], name ? name + '[' + key + ']' : key, into);
    }
    return into;
  }
  into.push([name, String(value)]);
  return into;
}

async function call(method, path, fields) {
  const form = new URLSearchParams(flatten(fields, '', []));
  const request = { method: method, credentials: 'omit', referrerPolicy: 'no-referrer' };
  let address = home + path;
  if (method === 'GET') {
    address += '?' + form;
  } else {
    request.body = form;
  }
  try {
    const response = await fetch(address, request);
    return await response.json();
  } catch (failure) {
    return {
      error: {
        type: 'api_connection_error',
        message: 'We are experiencing issues connecting to our payments provider. Please check your internet connection and try again.',
      },
    };
  }
}

/* secretParts reads kind and id out of a client secret. */
function secretParts(clientSecret, wanted, caller) {
  const cut = typeof clientSecret === 'string' ? clientSecret.lastIndexOf('_secret_') : -1;
  const id = cut > 0 ? clientSecret.slice(0, cut) : '';
  const kind = kinds[id.split('_')[0]];
  need(kind && (!wanted || wanted === kind),
    'Invalid value for ' + caller + ': the client secret should be a client secret of the form ${id}_secret_${secret}.');
  return { id: id, kind: kind, secret: clientSecret };
}

function retrieve(key, intent) {
  return call('GET', '/v1/' + intent.kind.path + '/' + encodeURIComponent(intent.id), { key: key, client_secret: intent.secret });
}

/* answer is what a caller gets for an intent in the state it has come to. */
function answer(kind, intent) {
  if (['succeeded', 'processing', 'requires_capture'].includes(intent.status)) {
    return { [kind.result]: intent };
  }
  const error = Object.assign({}, intent[kind.lastError] || {
    type: 'invalid_request_error',
    code: kind.unexpected,
    message: 'This payment cannot be confirmed in its current state: ' + intent.status + '.',
  });
  error[kind.field] = intent;
  return { error: error };
}
