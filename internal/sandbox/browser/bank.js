/* Inside the bank's dialogue: tells the page around it that the customer has
 * answered, or wants to leave. What they answered, the page asks the API. */
(function () {
  'use strict';

  const body = document.body;
  function tell(type) {
    if (window.parent !== window) {
      window.parent.postMessage({ sandbox: 'bank', intent: body.dataset.intent, type: type }, body.dataset.parent);
    }
  }

  if (body.dataset.done) {
    tell('done');
    return;
  }
  document.addEventListener('keydown', function (event) {
    if (event.key === 'Escape') {
      tell('cancel');
    }
  });
  const first = document.getElementById('complete');
  if (first) {
    first.focus({ preventScroll: true });
  }
})();
