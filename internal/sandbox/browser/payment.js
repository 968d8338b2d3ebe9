/*
 * The inside of the payment frame: the fields of a card or a bank account,
 * their checks, and the requests that carry what was typed straight to the
 * sandbox's API. The page around the frame learns whether the fields are
 * complete and what the API answered, never what was typed.
 */
import { brandOf, digits, grouped, luhn } from './elements-inner-payment-cards.js';
import { allWords, looks, variables } from './elements-inner-payment-words.js';

const start = readStart();
if (!start || window.parent === window) {
  throw new Error('This frame is mounted by the script at /v3/, not opened by itself.');
}

const form = document.getElementById('method');
const fields = {};
for (const name of ['number', 'expiry', 'cvc', 'iban', 'name', 'email']) {
  fields[name] = form.elements.namedItem(name);
}
const fieldsOf = { card: ['number', 'expiry', 'cvc'], sepa_debit: ['iban', 'name', 'email'] };
let words = null;
let checkedSecret = null;
let readyTold = false;

function readStart() {
  try {
    const said = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    return typeof said.origin === 'string' && typeof said.channel === 'string' ? said : null;
  } catch (failure) {
    return null;
  }
}

function tell(type, payload) {
  window.parent.postMessage(
    Object.assign({ sandbox: 'elements', channel: start.channel, type: type }, payload), start.origin);
}

// --- What was typed -------------------------------------------------------

function numberFault() {
  const number = digits(fields.number.value);
  const brand = brandOf(number);
  if (number.length < Math.min.apply(null, brand.lengths)) {
    return 'incomplete_number';
  }
  return brand.lengths.includes(number.length) && luhn(number) ? null : 'invalid_number';
}

/* expiryParts reads 12/34, 12 / 34, 1234, 1/34 and 12/2034. */
function expiryParts() {
  const text = fields.expiry.value.trim();
  const split = text.split(/\s*[/.\-\s]\s*/).map(digits);
  const all = digits(text);
  const parts = split.length === 2 ? split : [all.slice(0, 2), all.slice(2)];
  const complete = parts[0].length >= 1 && parts[0].length <= 2 && (parts[1].length === 2 || parts[1].length === 4);
  return { complete: complete, month: Number(parts[0]), year: Number(parts[1].length === 2 ? '20' + parts[1] : parts[1]) };
}

function expiryFault() {
  const expiry = expiryParts();
  if (!expiry.complete) {
    return 'incomplete_expiry';
  }
  if (expiry.month < 1 || expiry.month > 12) {
    return 'invalid_expiry_month';
  }
  const now = new Date();
  const past = expiry.year < now.getFullYear() || (expiry.year === now.getFullYear() && expiry.month < now.getMonth() + 1);
  return past ? 'invalid_expiry_year_past' : null;
}

function cvcFault() {
  const wanted = brandOf(digits(fields.number.value)).cvc;
  return digits(fields.cvc.value).length === wanted ? null : 'incomplete_cvc';
}

/* ibanFault checks length and the two check digits, ISO 13616. */
function ibanFault() {
  const iban = plainIBAN();
  if (iban.length < 15) {
    return 'incomplete_iban';
  }
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(iban)) {
    return 'invalid_iban';
  }
  let rest = 0;
  for (const sign of iban.slice(4) + iban.slice(0, 4)) {
    rest = Number(String(rest) + parseInt(sign, 36)) % 97;
  }
  return rest === 1 ? null : 'invalid_iban';
}

function plainIBAN() {
  return fields.iban.value.replace(/\s/g, '').toUpperCase();
}

function nameFault() {
  return fields.name.value.trim() === '' ? 'incomplete_name' : null;
}

function emailFault() {
  return /^\S+@\S+\.\S+$/.test(fields.email.value.trim()) ? null : 'incomplete_email';
}

const faultOf = {
  number: numberFault, expiry: expiryFault, cvc: cvcFault, iban: ibanFault, name: nameFault, email: emailFault,
};

function chosenType() {
  return form.elements.namedItem('type').value;
}

/* offer shows the choice between the types the intent takes, if there is one. */
function offer(types) {
  const known = types.filter((type) => fieldsOf[type]);
  const offered = known.length > 0 ? known : ['card'];
  document.getElementById('types').hidden = offered.length < 2;
  const chosen = offered.includes(chosenType()) ? chosenType() : offered[0];
  for (const choice of form.querySelectorAll('input[name="type"]')) {
    choice.parentNode.hidden = !offered.includes(choice.value);
    choice.checked = choice.value === chosen;
  }
  showChosen();
}

function showChosen() {
  for (const group of form.querySelectorAll('[data-type]')) {
    group.hidden = group.dataset.type !== chosenType();
  }
}

function showFault(name, code) {
  const place = document.getElementById(name + '-error');
  const text = code ? words[code] : '';
  place.dataset.code = code || '';
  if (place.textContent !== text) {
    place.textContent = text;
  }
  if (code) {
    fields[name].setAttribute('aria-invalid', 'true');
  } else {
    fields[name].removeAttribute('aria-invalid');
  }
}

/* check shows every fault, goes to the first, and returns it as the API would. */
function check() {
  let first = null;
  for (const name of fieldsOf[chosenType()]) {
    const code = faultOf[name]();
    showFault(name, code);
    if (code && !first) {
      first = { name: name, code: code };
    }
  }
  if (!first) {
    return null;
  }
  fields[first.name].focus();
  return { type: 'validation_error', code: first.code, message: words[first.code] };
}

// --- Typing ---------------------------------------------------------------

/* rewrite sets the tidy text and keeps the caret behind the same digit. */
function rewrite(input, tidy) {
  if (input.value === tidy) {
    return;
  }
  const atEnd = input.selectionStart === input.value.length;
  const before = digits(input.value.slice(0, input.selectionStart)).length;
  input.value = tidy;
  let caret = tidy.length;
  if (!atEnd) {
    caret = 0;
    for (let seen = 0; caret < tidy.length && seen < before; caret += 1) {
      if (/\d/.test(tidy[caret])) {
        seen += 1;
      }
    }
  }
  if (document.activeElement === input) {
    input.setSelectionRange(caret, caret);
  }
}

function tidyNumber() {
  const number = digits(fields.number.value).slice(0, Math.max.apply(null, brandOf(digits(fields.number.value)).lengths.concat(16)));
  rewrite(fields.number, grouped(number));
  const brand = brandOf(number);
  document.getElementById('brand').textContent = brand.name;
  fields.cvc.maxLength = brand.cvc;
}

function tidyExpiry(event) {
  if (event && event.inputType && event.inputType.startsWith('delete')) {
    return; // taking a sign away must not put it back
  }
  const text = fields.expiry.value;
  const slash = text.split(/[/.\-]/);
  let month = digits(slash.length > 1 ? slash[0] : digits(text).slice(0, 2));
  let year = digits(slash.length > 1 ? slash.slice(1).join('') : digits(text).slice(2));
  if (month.length === 1 && (Number(month) > 1 || slash.length > 1)) {
    month = '0' + month;
  }
  if (year.length > 2) {
    year = year.startsWith('20') ? year.slice(0, 4) : year.slice(0, 2);
  }
  rewrite(fields.expiry, month.length === 2 ? month + ' / ' + year : month);
}

let lastChange = '';
function announceChange() {
  const names = fieldsOf[chosenType()];
  const change = {
    value: chosenType(),
    empty: names.every((name) => fields[name].value === ''),
    complete: names.every((name) => faultOf[name]() === null),
  };
  const summary = JSON.stringify(change);
  if (summary !== lastChange) {
    lastChange = summary;
    tell('change', change);
  }
}

fields.number.addEventListener('input', tidyNumber);
fields.expiry.addEventListener('input', tidyExpiry);
fields.cvc.addEventListener('input', function () {
  rewrite(fields.cvc, digits(fields.cvc.value));
});
fields.iban.addEventListener('blur', function () {
  fields.iban.value = plainIBAN().replace(/(.{4})(?=.)/g, '$1 ');
});
form.querySelectorAll('input[name="type"]').forEach(function (choice) {
  choice.addEventListener('change', function () {
    showChosen();
    announceChange();
  });
});
for (const name of Object.keys(fields)) {
  fields[name].addEventListener('input', function () {
    showFault(name, null);
    announceChange();
  });
  fields[name].addEventListener('blur', function () {
    if (fields[name].value !== '') {
      showFault(name, faultOf[name]());
    }
  });
}
form.addEventListener('focusin', function (event) {
  if (!form.contains(event.relatedTarget)) {
    tell('focus', {});
  }
});
form.addEventListener('focusout', function (event) {
  if (!form.contains(event.relatedTarget)) {
    tell('blur', {});
  }
});
form.addEventListener('keydown', function (event) {
  if (event.key === 'Escape') {
    tell('escape', {});
  }
});
form.addEventListener('submit', function (event) {
  event.preventDefault(); // Enter in a field; the page's own button pays
});

// --- The API --------------------------------------------------------------

async function request(address, options) {
  try {
    const response = await fetch(address, options);
    return await response.json();
  } catch (failure) {
    return { error: { type: 'api_connection_error', message: 'The payments provider could not be reached. Please check your internet connection and try again.' } };
  }
}

function post(path, form) {
  return request(path, { method: 'POST', body: form, credentials: 'omit', referrerPolicy: 'no-referrer' });
}

/* confirm makes a payment method of what was typed and confirms the intent with it. */
async function confirm(path, given) {
  const fault = check();
  if (fault) {
    return { error: fault };
  }
  const method = new URLSearchParams({ type: chosenType() });
  const sent = new URLSearchParams();
  for (const [name, value] of given) {
    if (name === 'key') {
      method.append(name, value);
    }
    if (name.startsWith('payment_method_data[')) {
      // The page may add what it knows of the holder: payment_method_data[billing_details][…].
      method.append(name.slice('payment_method_data['.length).replace(']', ''), value);
    } else {
      sent.append(name, value);
    }
  }
  if (chosenType() === 'card') {
    addCard(method);
  } else {
    addDebit(method);
    sent.set('mandate_data[customer_acceptance][type]', 'online');
    sent.set('mandate_data[customer_acceptance][online][user_agent]', navigator.userAgent);
  }
  const made = await post('/v1/payment_methods', method);
  if (made.error) {
    return made;
  }
  sent.set('payment_method', made.id);
  return post(path, sent);
}

function addCard(method) {
  const expiry = expiryParts();
  method.set('card[number]', digits(fields.number.value));
  method.set('card[exp_month]', String(expiry.month));
  method.set('card[exp_year]', String(expiry.year));
  method.set('card[cvc]', digits(fields.cvc.value));
}

function addDebit(method) {
  method.set('sepa_debit[iban]', plainIBAN());
  method.set('billing_details[name]', fields.name.value.trim());
  method.set('billing_details[email]', fields.email.value.trim());
}

/* checkSecret tells the page whether the intent it was given can be paid here. */
async function checkSecret(key, clientSecret, types) {
  if (clientSecret) {
    const id = clientSecret.slice(0, clientSecret.lastIndexOf('_secret_'));
    const path = id.startsWith('seti_') ? 'setup_intents' : 'payment_intents';
    const query = new URLSearchParams({ key: key, client_secret: clientSecret });
    const found = await request('/v1/' + path + '/' + encodeURIComponent(id) + '?' + query, { credentials: 'omit', referrerPolicy: 'no-referrer' });
    let error = found.error;
    if (!error && ['succeeded', 'canceled', 'processing'].includes(found.status)) {
      error = {
        type: 'invalid_request_error',
        code: id.startsWith('seti_') ? 'setup_intent_unexpected_state' : 'payment_intent_unexpected_state',
        message: 'The provided client secret belongs to an intent in the terminal state ' + found.status + '. It can no longer be confirmed.',
      };
    }
    if (error) {
      tell('loaderror', { error: error });
      return;
    }
    offer(found.payment_method_types || ['card']);
  } else {
    offer(types);
  }
  if (!readyTold) {
    readyTold = true;
    tell('ready', {});
  }
}

// --- The page's wishes ----------------------------------------------------

function dress(options) {
  const language = String(options.locale || 'en').toLowerCase().split('-')[0];
  words = allWords[language] || allWords.en;
  document.documentElement.lang = allWords[language] ? language : 'en';
  document.documentElement.dir = ['ar', 'fa', 'he', 'ur'].includes(language) ? 'rtl' : 'ltr';
  for (const label of document.querySelectorAll('[data-words]')) {
    label.textContent = words[label.dataset.words];
  }
  fields.expiry.placeholder = words.month + ' / ' + words.year;
  fields.cvc.placeholder = words.code;
  for (const name of Object.keys(fields)) {
    showFault(name, document.getElementById(name + '-error').dataset.code || null);
    fields[name].readOnly = options.readOnly;
  }
  const appearance = options.appearance || {};
  const chosen = Object.assign({}, looks[appearance.theme] || looks.stripe);
  for (const name of Object.keys(appearance.variables || {})) {
    if (variables[name]) {
      chosen[variables[name]] = String(appearance.variables[name]);
    }
  }
  const root = document.documentElement.style;
  for (const property of new Set(Object.values(variables).concat('--border'))) {
    if (chosen[property]) {
      root.setProperty(property, chosen[property]);
    } else {
      root.removeProperty(property);
    }
  }
}

window.addEventListener('message', async function (event) {
  if (event.source !== window.parent || event.origin !== start.origin) {
    return;
  }
  const said = event.data;
  if (!said || said.sandbox !== 'elements' || said.channel !== start.channel) {
    return;
  }
  switch (said.type) {
    case 'options':
      dress(said.options);
      if (checkedSecret !== (said.options.clientSecret || '')) {
        checkedSecret = said.options.clientSecret || '';
        await checkSecret(said.options.key, said.options.clientSecret, said.options.types);
      }
      break;
    case 'validate': {
      const fault = check();
      tell('answer', { question: said.question, result: fault ? { error: fault } : { selectedPaymentMethod: chosenType() } });
      break;
    }
    case 'confirm':
      tell('answer', { question: said.question, result: await confirm(said.path, said.fields) });
      break;
    case 'focus':
      fields[fieldsOf[chosenType()][0]].focus();
      break;
    case 'blur':
      if (document.activeElement instanceof HTMLElement) {
        document.activeElement.blur();
      }
      break;
    case 'clear':
      form.reset();
      showChosen();
      for (const name of Object.keys(fields)) {
        showFault(name, null);
      }
      tidyNumber();
      announceChange();
      break;
  }
});

words = allWords.en;
new ResizeObserver(function () {
  tell('height', { height: form.getBoundingClientRect().height });
}).observe(form);
tell('loaded', {});
