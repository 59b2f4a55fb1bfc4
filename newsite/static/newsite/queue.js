// The moderation queue without reloads. Without this file every button is
// a plain form that leads back to the queue.
//
// The server answers the same forms with the piece of the page that has changed, where the
// header X-Fragment asks for it.

const queue = document.getElementById("queue");
const form = document.getElementById("queue-form");
const list = document.getElementById("queue-rows");
const status = document.getElementById("queue-status");
const news = document.getElementById("queue-news");

const UNDECIDED = ".queue-row";
// So often, in milliseconds, the page asks what others have decided meanwhile.
const PAUSE = 20_000;

// Rows that keep the place of a decided comment do not count: as many follow as have left.
const wanted = list.querySelectorAll(UNDECIDED).length;

// What is written about a comment: an answer, other words, a ban.
const WRITTEN = "[data-written]";

// Forms for edits and bans stand inside the queue's form. Their submit event does not rise
// past a form, so it is caught on its way down.
form.addEventListener("submit", take, { capture: true });

function take(event) {
  const button = event.submitter;
  const row = button?.closest("[data-comment]");
  // An undoing, which stands beside the decisions on many.
  if (!row && button?.hasAttribute("formaction")) return;
  // Decisions on many load a page.
  if (row || !isComplete()) event.preventDefault();
  if (row) send(row, button);
}

// Whether a decision on many says what and of which. What is missing is told here, and no page loads.
function isComplete() {
  const decision = document.getElementById("queue-decision");
  if (!decision.value) {
    warn(queue.dataset.noneChosen);
    decision.focus();
    return false;
  }
  const isOfTicked = document.getElementById("queue-scope").value === "ticked";
  if (!isOfTicked || list.querySelector("[name=ticked]:checked")) return true;
  warn(queue.dataset.noneTicked);
  return false;
}

// How many decisions this page has taken that can be undone where they stand.
let decided = 0;

async function send(row, button) {
  const written = button.closest(WRITTEN);
  const address = button.hasAttribute("formaction") ? button.formAction : button.form.action;
  const body = button.form === form ? fieldsOf(row, button) : new FormData(button.form);
  const { piece, isDone } = await ask(row, address, { method: "POST", body });
  if (!piece) return;
  say(piece.querySelector("[data-told]").textContent);
  const told = piece.querySelector("[data-comment]");
  if (told.querySelector("[data-undoes]")) told.dataset.decided = decided += 1;
  put(row, told, isDone ? written : null);
  // One after the other, or two would fetch the same rows.
  refilled = refilled.then(refill).catch(() => {});
}

// Of the queue's form only what belongs to a row.
function fieldsOf(row, button) {
  const data = new FormData();
  data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  data.set("seen", row.dataset.seen);
  data.set("comment", row.dataset.comment);
  if (button.name) data.set(button.name, button.value);
  const text = button.closest(WRITTEN)?.querySelector("textarea");
  if (text) data.set(text.name, text.value);
  return data;
}

// Returns the piece of the page that the site answers with. Anything else is told.
async function ask(row, address, how) {
  if (row.ariaBusy === "true") return {};
  row.ariaBusy = "true";
  let response;
  try {
    response = await fetch(address, { ...how, headers: { "X-Fragment": "row" } });
    if (response.headers.has("X-Fragment")) {
      return { piece: pieceOf(await response.text()), isDone: response.ok };
    }
  } catch {
    response = null;
  } finally {
    row.ariaBusy = "false";
  }
  // Who was signed out meanwhile, or may not do it, is told so by a page.
  if (response?.redirected && !begun().length) location.reload();
  else warn(response?.status < 500 ? queue.dataset.refused : queue.dataset.failed);
  return {};
}

// Puts what stands there now in the place of a row. What was begun there stays, but for what is done.
function put(row, piece, done) {
  const asked = piece.querySelector("[autofocus]");
  // Browsers mind it for pages that load.
  asked?.removeAttribute("autofocus");
  const tick = piece.querySelector("[name=ticked]");
  if (tick) tick.checked = row.querySelector("[name=ticked]")?.checked;
  for (const written of begun(row).filter((one) => one !== done)) keep(written, piece);
  // Where the moderator is by now, which may be elsewhere.
  const had = row.contains(document.activeElement);
  const following = rowAfter(row) ?? rowBefore(row);
  row.replaceWith(piece);
  const next = asked ?? (piece.matches(UNDECIDED) ? piece : (following ?? piece));
  // What is under the pointer stays there. For the keyboard the next comment comes into sight.
  if (had) next.focus({ preventScroll: isByPointer });
}

let isByPointer = false;
document.addEventListener("pointerdown", () => (isByPointer = true), { capture: true });
document.addEventListener("keydown", () => (isByPointer = false), { capture: true });

function keep(written, piece) {
  const place = piece.querySelector(`[data-written="${written.dataset.written}"]`);
  if (!place) return (piece.querySelector(".queue-words") ?? piece).append(written);
  if (written.open) place.open = true;
  const [before, now] = [written, place].map((one) => one.querySelector("textarea"));
  if (now) now.value = before.value;
}

// What is not sent yet: changed since it came from the site, or refused by it.
function begun(within = list) {
  return [...within.querySelectorAll(WRITTEN)].filter(isBegun);
}

function isBegun(written) {
  if (written.querySelector(".errorlist, .error-summary")) return true;
  // One that waited for this page came with its words.
  if (written.dataset.written === "reply") return written.querySelector("textarea").value !== "";
  return [...written.querySelectorAll("input, textarea, select")].some((field) =>
    field.options
      ? [...field.options].some((option) => option.selected !== option.defaultSelected)
      : field.value !== field.defaultValue || field.checked !== field.defaultChecked,
  );
}

function rowAfter(row) {
  const rows = [...list.querySelectorAll("[data-comment]")];
  return rows.slice(rows.indexOf(row) + 1).find((other) => other.matches(UNDECIDED));
}

function rowBefore(row) {
  const rows = [...list.querySelectorAll("[data-comment]")];
  return rows.slice(0, rows.indexOf(row)).findLast((other) => other.matches(UNDECIDED));
}

// --- Forms that open in a row ---

list.addEventListener("click", (event) => {
  if (event.target.closest("[data-cancel]")) return closeForm(event.target.closest(WRITTEN));
  const link = event.target.closest("a[data-opens]");
  // A click that opens a new tab or window stays a link.
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  openForm(link);
});

async function openForm(link) {
  const row = link.closest("[data-comment]");
  const old = row.querySelector(".queue-panel");
  if (old && (isBegun(old) || old.action === link.href)) {
    if (old.action !== link.href) warn(queue.dataset.begun);
    return enter(old);
  }
  const { piece } = await ask(row, link.href);
  if (!piece) return;
  const panel = piece.querySelector(".queue-panel");
  old?.remove();
  row.querySelector(".queue-words").append(panel);
  enter(panel);
}

function enter(panel) {
  panel.querySelector("input:checked, textarea, input:not([type=hidden])").focus();
}

// Leads back to what has opened it.
function closeForm(written) {
  const row = written.closest("[data-comment]");
  const link = [...row.querySelectorAll("a[data-opens]")].find((one) => one.href === written.action);
  written.remove();
  (link ?? row).focus();
}

list.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.isComposing) return;
  const written = event.target.closest(WRITTEN);
  if (!written) return;
  if (isBegun(written)) return warn(queue.dataset.begun);
  if (!written.matches("details")) return closeForm(written);
  written.open = false;
  written.querySelector("summary").focus();
});

// What was begun is not lost to a page that loads.
window.addEventListener("beforeunload", (event) => {
  if (begun().length) event.preventDefault();
});

// --- What others do, and what follows ---

let refilled = Promise.resolve();

// Fills the page up from below, and brings the counts and the latest decision up to date.
async function refill() {
  const last = [...list.querySelectorAll("[data-cursor]")].at(-1);
  const address = new URLSearchParams(queue.dataset.filters);
  if (last) address.set("before", last.dataset.cursor);
  const next = document.querySelector("#queue-following a");
  address.set("rows", next ? wanted - list.querySelectorAll(UNDECIDED).length : 0);
  const response = await fetch(`${queue.dataset.more}?${address}`);
  if (!response.ok || response.redirected) return;
  const more = pieceOf(await response.text());
  for (const id of ["comments-waiting", "queue-tabs", "queue-last"]) {
    document.getElementById(id).replaceWith(more.getElementById(id));
  }
  if (Number(address.get("rows")) > 0) {
    const rows = [...more.querySelectorAll(UNDECIDED)];
    list.append(...rows.filter((row) => !document.getElementById(row.id)));
    document.getElementById("queue-following").replaceWith(more.querySelector("#queue-following"));
  }
}

let looks = 0;

// Shows what others have decided on the comments of this page.
async function watch() {
  if (document.hidden) return;
  const look = ++looks;
  const rows = [...list.querySelectorAll(UNDECIDED)];
  if (!rows.length) return;
  const address = new URLSearchParams({
    comments: rows.map((row) => row.dataset.comment).join(","),
    seen: rows.map((row) => row.dataset.seen).join(","),
  });
  const response = await fetch(`${queue.dataset.news}?${address}`).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const decided = pieceOf(await response.text());
  // A slow answer is older than that of the next look.
  if (look !== looks) return;
  const added = [];
  for (const told of decided.querySelectorAll("[data-comment]")) {
    const row = document.getElementById(`row-${told.dataset.comment}`);
    if (!row) continue;
    const before = row.querySelector(".queue-overtaken");
    before?.remove();
    told.className = "queue-overtaken";
    row.prepend(told);
    if (before?.dataset.change === told.dataset.change) continue;
    added.push(`${row.querySelector("h2").textContent.trim()}: ${told.textContent}`);
  }
  if (added.length) news.textContent = added.length > 1 ? queue.dataset.overtaken : added[0];
}
setInterval(watch, PAUSE);

function pieceOf(text) {
  return document.createRange().createContextualFragment(text);
}

// What has been done stands in the row as well.
function say(text) {
  status.classList.add("visually-hidden");
  status.textContent = text.trim();
}

// What has not been done stands nowhere else.
function warn(text) {
  say(text);
  status.classList.remove("visually-hidden");
}

list.addEventListener("queue-warning", (event) => warn(queue.dataset[event.detail]));
