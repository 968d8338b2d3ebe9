/* The bank's dialogue, and the way of a confirmed intent to its end. */

/* authenticate shows the make-believe bank page and resolves when the
 * customer has answered it, or has waved it away, which counts as a refusal. */
function authenticate(intent) {
  return new Promise(function (resolve) {
    const dialog = document.createElement('dialog');
    dialog.setAttribute('aria-label', 'Bank authentication');
    Object.assign(dialog.style, {
      position: 'fixed', inset: '0', width: '100%', height: '100%', maxWidth: 'none', maxHeight: 'none',
      boxSizing: 'border-box', margin: '0', padding: '16px', border: '0', overflow: 'auto',
      background: 'rgba(10, 15, 30, 0.6)', display: 'grid', placeItems: 'center', zIndex: '2147483647',
    });
    const panel = document.createElement('div');
    Object.assign(panel.style, {
      position: 'relative', width: '100%', maxWidth: '420px', height: '100%', maxHeight: '460px',
      background: '#ffffff', borderRadius: '12px', overflow: 'hidden', boxShadow: '0 16px 48px rgba(0, 0, 0, 0.35)',
    });
    const frame = document.createElement('iframe');
    frame.title = 'Bank authentication';
    frame.name = '__privateStripeFrame3DS' + nextNumber();
    frame.src = home + '/v3/3ds/' + encodeURIComponent(intent.id) + '?' + new URLSearchParams({
      client_secret: intent.secret, parent_origin: location.origin,
    });
    Object.assign(frame.style, { width: '100%', height: '100%', border: '0', display: 'block', colorScheme: 'light' });
    const close = document.createElement('button');
    close.type = 'button';
    close.setAttribute('aria-label', 'Cancel authentication');
    close.textContent = '\u2715';
    Object.assign(close.style, {
      position: 'absolute', insetBlockStart: '6px', insetInlineEnd: '6px', width: '44px', height: '44px', padding: '0',
      border: '0', borderRadius: '8px', background: 'transparent', color: '#3c4257', font: '18px/1 system-ui, sans-serif', cursor: 'pointer',
    });
    panel.append(frame, close);
    dialog.append(panel);

    let over = false;
    function finish() {
      if (over) {
        return;
      }
      over = true;
      window.removeEventListener('message', hear);
      dialog.close();
      dialog.remove();
      resolve();
    }
    async function refuse() {
      if (over) {
        return;
      }
      await call('POST', '/v3/3ds/' + encodeURIComponent(intent.id) + '/complete', {
        client_secret: intent.secret, outcome: 'fail', answer: 'json',
      });
      finish();
    }
    function hear(event) {
      if (event.origin !== home || event.source !== frame.contentWindow) {
        return;
      }
      const said = event.data;
      if (!said || said.sandbox !== 'bank' || said.intent !== intent.id) {
        return;
      }
      if (said.type === 'done') {
        finish();
      } else if (said.type === 'cancel') {
        refuse();
      }
    }
    window.addEventListener('message', hear);
    dialog.addEventListener('cancel', function (event) {
      event.preventDefault();
      refuse();
    });
    close.addEventListener('click', refuse);
    document.body.append(dialog);
    dialog.showModal();
    frame.focus();
  });
}

/* settle leads a confirmed intent to its end: through the bank if need be. */
async function settle(key, handle, intent, options) {
  const kind = handle.kind;
  if (intent.status === 'requires_action' && options.handleActions !== false) {
    const next = intent.next_action || {};
    if (next.type === 'redirect_to_url') {
      location.assign(next.redirect_to_url.url);
      return leaving();
    }
    await authenticate(handle);
    intent = await retrieve(key, handle);
    if (intent.error) {
      return { error: intent.error };
    }
    if (intent.status === 'requires_action') {
      return {
        error: {
          type: 'invalid_request_error', code: kind.refused,
          message: 'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
          [kind.field]: intent,
        },
      };
    }
  } else if (intent.status === 'requires_action') {
    return { [kind.result]: intent };
  }
  const result = answer(kind, intent);
  if (result.error || options.redirect === 'if_required') {
    return result;
  }
  const back = new URL(options.returnURL, location.href);
  back.searchParams.set(kind.field, handle.id);
  back.searchParams.set(kind.field + '_client_secret', handle.secret);
  back.searchParams.set('redirect_status', intent.status === 'processing' ? 'pending' : 'succeeded');
  location.assign(back.href);
  return leaving();
}
