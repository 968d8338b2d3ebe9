/* The Payment Element: a frame of the sandbox's origin in the page, and the
 * conversation with it. */

class PaymentElement {
  constructor(elements, options) {
    this._elements = elements;
    this._options = options;
    this._listeners = new Map();
    this._questions = new Map();
    this._hear = this._hear.bind(this);
    this._destroyed = false;
    this._reset();
  }

  _reset() {
    this._frame = null;
    this._box = null;
    this._questions = new Map();
    this._loaded = new Promise((resolve) => {
      this._announceLoaded = resolve;
    });
  }

  on(event, handler) {
    need(typeof handler === 'function', 'element.on() needs a function as its second argument.');
    const handlers = this._listeners.get(event) || [];
    this._listeners.set(event, handlers.concat(handler));
    return this;
  }

  once(event, handler) {
    const wrapped = (payload) => {
      this.off(event, wrapped);
      handler(payload);
    };
    return this.on(event, wrapped);
  }

  off(event, handler) {
    const handlers = this._listeners.get(event) || [];
    this._listeners.set(event, handler ? handlers.filter((known) => known !== handler) : []);
    return this;
  }

  _emit(event, payload) {
    for (const handler of this._listeners.get(event) || []) {
      handler(Object.assign({ elementType: 'payment' }, payload));
    }
  }

  mount(target) {
    need(!this._destroyed, 'This Element has already been destroyed. Please create a new one.');
    const place = typeof target === 'string' ? document.querySelector(target) : target;
    need(place instanceof Element,
      'The selector you specified (' + String(target) + ') applies to no DOM elements that are currently on the page. Make sure the element exists on the page before calling mount().');
    if (this._frame) {
      if (this._box.parentNode === place) {
        return;
      }
      this.unmount();
    }
    this._channel = crypto.getRandomValues(new Uint32Array(4)).join('-');
    const frame = document.createElement('iframe');
    frame.name = '__privateStripeFrame' + nextNumber();
    frame.title = 'Secure payment input frame';
    frame.allow = 'payment *';
    Object.assign(frame.style, {
      border: '0', display: 'block', margin: '-4px', padding: '0', width: 'calc(100% + 8px)', maxWidth: 'none',
      height: '162px', background: 'transparent', colorScheme: 'light', userSelect: 'none',
    });
    frame.src = home + '/v3/elements-inner-payment.html#' + encodeURIComponent(JSON.stringify({
      origin: location.origin, channel: this._channel,
    }));
    this._frame = frame;
    this._box = document.createElement('div');
    this._box.className = '__PrivateStripeElement';
    this._box.append(frame);
    window.addEventListener('message', this._hear);
    place.classList.add('StripeElement');
    place.replaceChildren(this._box);
    this._emit('loaderstart', {});
    this._patience = setTimeout(() => {
      this._emit('loaderror', {
        error: { type: 'api_connection_error', message: 'The payment form could not be loaded.' },
      });
    }, 15000);
  }

  unmount() {
    if (!this._frame) {
      return;
    }
    clearTimeout(this._patience);
    window.removeEventListener('message', this._hear);
    for (const question of this._questions.values()) {
      question.reject(new IntegrationError('The Payment Element was unmounted while it was in use.'));
    }
    const place = this._box.parentNode;
    if (place) {
      place.classList.remove('StripeElement', 'StripeElement--focus', 'StripeElement--complete', 'StripeElement--empty');
    }
    this._box.remove();
    this._reset();
  }

  destroy() {
    this.unmount();
    this._destroyed = true;
    this._elements._forget(this);
  }

  update(options) {
    Object.assign(this._options, options);
    this._refresh();
  }

  focus() {
    if (this._frame) {
      this._frame.focus();
      this._tell('focus', {});
    }
  }

  blur() {
    this._tell('blur', {});
  }

  clear() {
    this._tell('clear', {});
  }

  collapse() {}

  _refresh() {
    this._tell('options', { options: this._elements._frameOptions(this._options) });
  }

  _tell(type, payload) {
    if (!this._frame || !this._frame.contentWindow) {
      return;
    }
    this._frame.contentWindow.postMessage(
      Object.assign({ sandbox: 'elements', channel: this._channel, type: type }, payload), home);
  }

  /* _ask sends a question to the frame once it listens, and resolves with its answer. */
  async _ask(type, payload) {
    need(this._frame, 'Invalid value for elements: please mount the Payment Element first.');
    await this._loaded;
    return new Promise((resolve, reject) => {
      const id = nextNumber();
      this._questions.set(id, { resolve: resolve, reject: reject });
      this._tell(type, Object.assign({ question: id }, payload));
    });
  }

  _hear(event) {
    if (event.origin !== home || !this._frame || event.source !== this._frame.contentWindow) {
      return;
    }
    const said = event.data;
    if (!said || said.sandbox !== 'elements' || said.channel !== this._channel) {
      return;
    }
    const place = this._box.parentNode;
    switch (said.type) {
      case 'loaded':
        clearTimeout(this._patience);
        this._announceLoaded();
        this._refresh();
        break;
      case 'height':
        this._frame.style.height = Math.ceil(Number(said.height) || 0) + 'px';
        break;
      case 'ready':
        this._emit('ready', {});
        break;
      case 'loaderror':
        this._emit('loaderror', { error: said.error });
        break;
      case 'focus':
      case 'blur':
        place.classList.toggle('StripeElement--focus', said.type === 'focus');
        this._emit(said.type, {});
        break;
      case 'escape':
        this._emit('escape', {});
        break;
      case 'change':
        place.classList.toggle('StripeElement--complete', said.complete);
        place.classList.toggle('StripeElement--empty', said.empty);
        this._emit('change', { complete: said.complete, empty: said.empty, collapsed: false, value: { type: said.value } });
        break;
      case 'answer': {
        const question = this._questions.get(said.question);
        this._questions.delete(said.question);
        if (question) {
          question.resolve(said.result);
        }
        break;
      }
    }
  }
}

// What the account offers of itself, as methodTypes in the sandbox's API.
function accountTypes(currency) {
  return { eur: ['card', 'sepa_debit'], usd: ['card', 'us_bank_account'] }[currency] || ['card'];
}

class Elements {
  constructor(key, locale, options) {
    this._key = key;
    this._options = Object.assign({ locale: locale }, options);
    this._payment = null;
    this._submitted = false;
    if (this._options.clientSecret !== undefined) {
      secretParts(this._options.clientSecret, null, 'elements()');
      need(this._options.mode === undefined, 'elements() takes either a clientSecret or a mode, not both.');
    } else {
      need(['payment', 'setup', 'subscription'].includes(this._options.mode),
        'elements() needs a clientSecret, or a mode of "payment", "setup" or "subscription".');
      if (this._options.mode !== 'setup') {
        need(Number.isInteger(this._options.amount) && this._options.amount >= 0,
          'elements() with mode "' + this._options.mode + '" needs an integer amount.');
        need(typeof this._options.currency === 'string', 'elements() with mode "' + this._options.mode + '" needs a currency.');
      }
    }
  }

  create(type, options) {
    need(type === 'payment', 'A valid Element name must be provided. The sandbox knows "payment"; you passed: "' + type + '".');
    need(!this._payment, 'Can only create one Element of type payment.');
    this._payment = new PaymentElement(this, Object.assign({}, options));
    return this._payment;
  }

  getElement(type) {
    return type === 'payment' ? this._payment : null;
  }

  update(options) {
    Object.assign(this._options, options);
    if (this._payment) {
      this._payment._refresh();
    }
  }

  async fetchUpdates() {
    if (this._options.clientSecret === undefined) {
      return {};
    }
    const found = await retrieve(this._key, secretParts(this._options.clientSecret, null, 'fetchUpdates()'));
    return found.error ? { error: found.error } : {};
  }

  async submit() {
    need(this._payment, 'elements.submit() needs a mounted Payment Element.');
    const result = await this._payment._ask('validate', {});
    this._submitted = !result.error;
    return result;
  }

  _forget() {
    this._payment = null;
  }

  _frameOptions(elementOptions) {
    const options = this._options;
    return JSON.parse(JSON.stringify({
      key: this._key,
      clientSecret: options.clientSecret,
      locale: !options.locale || options.locale === 'auto' ? navigator.language : options.locale,
      appearance: options.appearance || {},
      types: options.paymentMethodTypes || accountTypes(options.currency),
      readOnly: Boolean(elementOptions.readOnly),
    }));
  }
}
