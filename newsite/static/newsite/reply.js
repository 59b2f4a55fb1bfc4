// Leave a Reply, made more comfortable. Without this file everything works as well:
// reply links lead to the form's own page, and the browser forgets the name.
//
// Nothing here may fail where a part is absent: a closed conversation has no form, an edit
// answers nobody, the queue has other forms.
//
// The words that it shows stand in data-attributes: browsers without scripts, and without
// styles, print whatever is text.

const respond = document.getElementById("respond");
const form = document.getElementById("commentform");

// The server set `autofocus`, which browsers pass over when the address has a #fragment:
// they go to the fragment instead, until the page has loaded. By then someone may be
// typing already.
window.addEventListener("load", () => {
  if (document.activeElement === document.body) document.querySelector("[autofocus]")?.focus();
});

document.addEventListener("keydown", sendByKey);
if (respond && form) replyInPlace();
if (form) {
  rememberMe();
  sendOnce();
  previewInPlace();
  countDown();
}

function replyInPlace() {
  const title = document.getElementById("reply-title");
  const cancel = document.getElementById("cancel-comment-reply-link");
  const { parent, body } = form.elements;
  // Where the form stands on the page that the server sent.
  const home = document.createComment("respond");
  respond.before(home);
  let usedLink = null;
  cancel.textContent = cancel.dataset.label;

  function replyTo(link) {
    usedLink = link;
    parent.value = link.dataset.comment;
    // A function, because a name may hold "$&", which replace() would take for a pattern.
    title.textContent = title.dataset.replyTo.replace("{name}", () => link.dataset.name);
    cancel.parentElement.hidden = false;
    // Moving the form keeps what was typed in it.
    link.closest("article").after(respond);
    form.dispatchEvent(new Event("moved"));
  }

  function cancelReply() {
    parent.value = "";
    title.textContent = title.dataset.reply;
    cancel.parentElement.hidden = true;
    home.after(respond);
    // On the form's own page the comment that was to be answered stands above it.
    document.querySelector(".reply-page > .answered")?.remove();
    (usedLink ?? body).focus();
    usedLink = null;
    form.dispatchEvent(new Event("moved"));
  }

  document.addEventListener("click", (event) => {
    // A click that opens a new tab or window stays a link to the form's own page.
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a.comment-reply[data-comment]");
    if (link) {
      event.preventDefault();
      replyTo(link);
      body.focus();
    } else if (event.target.closest("a") === cancel) {
      event.preventDefault();
      cancelReply();
    }
  });

  // On the way back through the history, browsers restore what was typed, and whom it
  // answered, in a field that nobody sees. The page has to say so, or the reply would go
  // to the wrong place.
  window.addEventListener("pageshow", () => {
    if (usedLink || parent.value === parent.defaultValue) return;
    const link = document.querySelector(`a.comment-reply[data-comment="${CSS.escape(parent.value)}"]`);
    if (link) replyTo(link);
    else parent.value = parent.defaultValue;
  });
}

function rememberMe() {
  const key = "newsite.commenter";
  const place = document.getElementById("remember");
  const fields = ["name", "email", "website"].map((name) => form.elements[name]);
  if (!place || fields.includes(undefined)) return;

  // Reading or writing throws where the reader's browser blocks storage: then there is no
  // box, since ticking it would do nothing.
  let stored;
  try {
    stored = JSON.parse(localStorage.getItem(key));
  } catch {
    return;
  }
  for (const field of fields) field.value ||= stored?.[field.name] ?? "";
  const remember = document.createElement("input");
  const label = document.createElement("label");
  Object.assign(remember, { type: "checkbox", id: "id_remember", checked: Boolean(stored) });
  label.htmlFor = remember.id;
  label.textContent = place.dataset.label;
  place.append(remember, label);

  form.addEventListener("submit", () => {
    try {
      if (remember.checked) {
        const entries = fields.map((field) => [field.name, field.value]);
        localStorage.setItem(key, JSON.stringify(Object.fromEntries(entries)));
      } else {
        localStorage.removeItem(key);
      }
    } catch {
      // A full or blocked storage stops no comment.
    }
  });
}

function sendOnce() {
  const buttons = form.querySelectorAll("[type=submit]");
  const { seconds } = form.elements;
  const notice = document.getElementById("offline");
  let timer;
  form.append(notice);

  function ready() {
    clearTimeout(timer);
    timer = undefined;
    for (const button of buttons) {
      button.removeAttribute("aria-disabled");
      button.textContent = button.dataset.label ?? button.textContent;
    }
  }

  form.addEventListener("submit", (event) => {
    notice.textContent = navigator.onLine ? "" : notice.dataset.words;
    if (timer || !navigator.onLine) {
      event.preventDefault();
      return;
    }
    for (const button of buttons) button.setAttribute("aria-disabled", "true");
    const { submitter } = event;
    if (submitter?.dataset.busyLabel) {
      submitter.dataset.label = submitter.textContent;
      submitter.textContent = submitter.dataset.busyLabel;
    }
    // A form that came back goes on counting.
    if (seconds) seconds.value = +seconds.defaultValue + performance.now() / 1000;
    // Whoever stops a slow sending must be able to try again.
    timer = setTimeout(ready, 10_000);
  });
  form.addEventListener("ready", ready);
  window.addEventListener("online", () => (notice.textContent = ""));
  window.addEventListener("pageshow", ready);
}

// The preview comes to the form, beside the buttons. What is wrong with the form, the server
// says on a page of its own.
function previewInPlace() {
  const buttons = form.querySelector(".form-submit");
  let shown;
  let isRefused;

  function show(preview) {
    shown?.remove();
    shown = preview;
    buttons.before(shown);
    shown.querySelector("h2").focus();
  }

  form.addEventListener("submit", async (event) => {
    const { submitter, defaultPrevented } = event;
    if (defaultPrevented || submitter?.name !== "preview" || isRefused) return;
    event.preventDefault();
    let preview = null;
    try {
      const response = await fetch(form.action, { method: "POST", body: new FormData(form, submitter) });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      preview = page.querySelector(".preview");
    } catch {
      // Then the browser says what is wrong with the network.
    }
    form.dispatchEvent(new Event("ready"));
    if (preview) show(preview);
    else {
      isRefused = true;
      form.requestSubmit(submitter);
    }
  });

  // It shows the text as it was.
  form.elements.body.addEventListener("input", () => shown?.remove());
}

// Ctrl or Cmd with Enter sends a text.
function sendByKey(event) {
  if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
  if (event.target.type !== "textarea") return;
  event.preventDefault();
  event.target.closest("[data-written], form").querySelector("[type=submit]").click();
}

function countDown() {
  const { body } = form.elements;
  const shown = document.getElementById("characters-left");
  const spoken = document.getElementById("characters-left-spoken");
  if (!shown || !spoken) return;
  const shownFrom = 500;
  let timer;

  // Like the browser's own limit this counts UTF-16 units, of which an emoji takes two.
  // The server counts characters, so it never refuses as too long what fits in here.
  function count() {
    const left = body.maxLength - body.textLength;
    shown.hidden = left > shownFrom;
    shown.textContent = shown.dataset.words.replace("{left}", left);
    // Read out in a pause, not with each letter.
    clearTimeout(timer);
    timer = setTimeout(() => (spoken.textContent = shown.hidden ? "" : shown.textContent), 1000);
  }

  body.after(shown);
  body.addEventListener("input", count);
  window.addEventListener("pageshow", count);
}
