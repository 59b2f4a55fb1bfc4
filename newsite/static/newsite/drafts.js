// What someone writes is kept in this browser until it is posted, for each story and for
// each comment that it answers or changes, and comes back with the form. Only the text is kept:
// never a name or an address.

const OWN = "newsite.own";
const PREFIX = "newsite.draft.";
const SENDING = "newsite.sending";
const KEPT = 20;
const MONTH = 30 * 24 * 60 * 60_000;

const form = document.getElementById("commentform");
// In place of the form, where the conversation has closed.
const kept = document.getElementById("draft-kept");

// All of this throws where the reader's browser blocks storage: then nothing is kept.
try {
  showOwn(forgetWhatWasPosted());
  forgetTheOldest();
  if (form) keepDraft(form.closest("[data-draft]").dataset.draft);
  if (kept) showDraft(kept.closest("[data-draft]").dataset.draft);
} catch (error) {
  if (!(error instanceof DOMException)) throw error;
}

// A text has been posted if the server led on from there to a new comment: to its private
// page, which has no form, or to its place in the conversation. After an error, on either
// side of the network, it does not. Return the comment at whose place this is.
function forgetWhatWasPosted() {
  const { place, newest } = parsed(sessionStorage.getItem(SENDING)) ?? {};
  sessionStorage.removeItem(SENDING);
  const wasLedHere = performance.getEntriesByType("navigation")[0]?.redirectCount > 0;
  const comment = Number(location.hash.replace("#comment-", ""));
  const isPlace = comment > newest;
  if (!place || !wasLedHere || (form && !isPlace)) return null;
  localStorage.removeItem(place);
  return isPlace ? comment : null;
}

// What this browser has posted can be changed from its place in the conversation, for as long
// as the owner lets it and nobody has replied. The links are the same for everybody: a cookie
// that only they get lets this browser in.
function showOwn(posted) {
  const { editMinutes, ...words } = document.getElementById("comments")?.dataset ?? {};
  if (!editMinutes) return;
  const before = localStorage.getItem(OWN);
  const own = parsed(before) ?? {};
  if (posted) own[posted] = Date.now();
  for (const [id, at] of Object.entries(own)) {
    const until = at + editMinutes * 60_000;
    const isNew = Number(id) === posted;
    const text = document.querySelector(`#comment-${CSS.escape(id)} > .comment-text`);
    const isAnswered = text?.parentElement.nextElementSibling?.matches(".replies");
    const isOver = Date.now() > until;
    if (text && (isNew || !(isOver || isAnswered))) tellOwn(text, id, isOver ? null : until, isNew, words);
    if (isOver) delete own[id];
  }
  if (posted || before) localStorage.setItem(OWN, JSON.stringify(own));
}

function tellOwn(text, id, until, isNew, words) {
  const line = document.createElement("p");
  line.className = "own-comment";
  if (isNew) {
    line.setAttribute("role", "status");
    line.append(words.postedWords);
  }
  if (until) {
    const [before, after] = words.leftWords.split("{left}");
    const ways = document.createElement("span");
    ways.className = "while-it-works";
    ways.append(way(words.editLabel, words.editAddress, id), " ", way(words.deleteLabel, words.deleteAddress, id));
    const left = document.createElement("time");
    left.className = "remaining";
    left.dateTime = new Date(until).toISOString();
    ways.append(` ${before}`, left, after);
    line.append(" ", ways);
  }
  text.after(line);
}

function way(label, address, id) {
  const link = document.createElement("a");
  link.textContent = label;
  link.href = address.replace("/0/", `/${id}/`);
  return link;
}

function forgetTheOldest() {
  const drafts = Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
  const latest = drafts.map((key) => [draft(key).at, key]).sort(([a], [b]) => b - a);
  latest.forEach(([at, key], index) => {
    if (index >= KEPT || Date.now() - at > MONTH) localStorage.removeItem(key);
  });
}

function keepDraft(name) {
  // An edit answers nobody, and begins with a text.
  const { body, parent = { value: "", isEdit: true } } = form.elements;
  const story = `${PREFIX}${name}.`;
  const restored = document.getElementById("draft-restored");
  const elsewhere = document.getElementById("draft-elsewhere");
  let place = story + parent.value;

  function save() {
    try {
      if (!body.value.trim()) localStorage.removeItem(place);
      else localStorage.setItem(place, JSON.stringify({ at: Date.now(), text: body.value }));
      forgetTheOldest();
    } catch {
      // A full storage is no reason to disturb someone who writes.
    }
  }

  function fill(text) {
    body.value = text;
    body.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function restore(text) {
    fill(text);
    say(restored, "button").onclick = discard;
    // It took its time.
    const { seconds } = form.elements;
    if (seconds) seconds.value = 99;
  }

  function offer() {
    place = story + parent.value;
    const { text } = draft(place);
    const isUntouched = body.value === (parent.isEdit ? body.defaultValue : "");
    if (text && isUntouched) {
      if (text !== body.value) restore(text);
    } else if (body.value && body.value !== text) putBack();
    else if (!text) offerAnother();
  }

  function find(matches) {
    return Object.keys(localStorage).find((key) => key.startsWith(story) && matches(draft(key).text));
  }

  // The link on this page, if it is here, that moves the form to where a text was begun.
  function replyLink(key) {
    const comment = CSS.escape(key.slice(story.length));
    return document.querySelector(`a.comment-reply[data-comment="${comment}"]`);
  }

  // On the way back the browser may have put back the text, but not whom it answers.
  function putBack() {
    const key = find((text) => text === body.value);
    if (key) replyLink(key)?.click();
  }

  // Another text for this story was begun below some comment, which may be on another page.
  function offerAnother() {
    const key = find(Boolean);
    if (!key) return;
    const link = say(elsewhere, "a");
    const address = new URL(form.action);
    const answered = key.slice(story.length);
    address.search = answered && `to=${answered}`;
    link.href = `${address}#respond`;
    link.onclick = (event) => {
      const reply = replyLink(key);
      if (!reply) return;
      event.preventDefault();
      reply.click();
    };
  }

  function discard() {
    fill(body.defaultValue);
    localStorage.removeItem(place);
    restored.replaceChildren();
    body.focus();
  }

  body.addEventListener("input", save);

  // The form has moved to another comment, or back. Its text comes along, unless another
  // was begun there: then each stays where it was begun.
  form.addEventListener("moved", () => {
    const before = place;
    place = story + parent.value;
    if (place === before) return;
    elsewhere.replaceChildren();
    const { text } = draft(place);
    if (text) {
      if (text !== body.value) restore(text);
    } else {
      if (draft(before).text === body.value) localStorage.removeItem(before);
      save();
    }
  });

  form.addEventListener("submit", ({ submitter, defaultPrevented }) => {
    save();
    if (defaultPrevented || submitter?.name === "preview") return;
    const newest = Number(document.getElementById("comments")?.dataset.newest ?? 0);
    sessionStorage.setItem(SENDING, JSON.stringify({ place, newest }));
  });

  // By now the browser has put back what it remembers of the form itself.
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted) sessionStorage.removeItem(SENDING);
    offer();
  });
}

// A text begun before the conversation closed: nothing can be done with it but copy it.
function showDraft(name) {
  const [place] = Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}${name}.`));
  if (!place) return;
  const text = document.createElement("textarea");
  Object.assign(text, { id: "closed-text", rows: 8, dir: "auto", readOnly: true, value: draft(place).text });
  text.setAttribute("aria-label", kept.dataset.words);
  say(kept, "button").onclick = () => {
    localStorage.removeItem(place);
    kept.replaceChildren();
  };
  kept.append(text);
}

// Say what a note is there to say, and return the button or link at its end.
function say(note, tag) {
  const control = document.createElement(tag);
  if (tag === "button") control.type = "button";
  control.textContent = note.dataset.label;
  note.replaceChildren(`${note.dataset.words} `, control);
  return control;
}

function draft(key) {
  return { at: 0, text: "", ...parsed(localStorage.getItem(key)) };
}

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
