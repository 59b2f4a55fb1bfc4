// The moderation queue without reloads, and by keyboard. Without this file every button is
// a plain form that leads back to the queue.
//
// The server answers the same forms with the piece of the page that has changed, where the
// header X-Fragment asks for it.

const queue = document.getElementById("queue");
const form = document.getElementById("queue-form");
const list = document.getElementById("queue-rows");
const status = document.getElementById("queue-status");

const UNDECIDED = ".queue-row";
// So often, in milliseconds, the page asks what others have decided meanwhile.
const PAUSE = 20_000;

// Rows that keep the place of a decided comment do not count: as many follow as have left.
const wanted = list.querySelectorAll(UNDECIDED).length;

form.addEventListener("submit", (event) => {
  const button = event.submitter;
  const row = button?.closest("[data-comment]");
  // Decisions on many, and answers, whose errors need room, load a page.
  if (!row || !button.formAction.match(/\/(decide|undo)\/$/)) return;
  event.preventDefault();
  decide(row, button);
});

async function decide(row, button) {
  if (row.ariaBusy === "true") return;
  row.ariaBusy = "true";
  const data = new FormData();
  data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  data.set("seen", row.dataset.seen);
  data.set("comment", row.dataset.comment);
  if (button.name) data.set(button.name, button.value);
  let piece;
  try {
    const response = await fetch(button.formAction, {
      method: "POST",
      body: data,
      headers: { "X-Fragment": "row" },
    });
    // Who was signed out meanwhile, or may not do it, is told so by a page.
    if (response.redirected) return location.reload();
    if (!response.ok && response.status !== 409) {
      row.ariaBusy = "false";
      return say(response.status < 500 ? queue.dataset.refused : queue.dataset.failed);
    }
    piece = pieceOf(await response.text());
  } catch {
    row.ariaBusy = "false";
    return say(queue.dataset.failed);
  }
  say(piece.querySelector("[data-told]").textContent);
  put(row, piece.querySelector("[data-comment]"));
  // One after the other, or two would fetch the same rows.
  refilled = refilled.then(refill).catch(() => {});
}

// Puts what stands there now in the place of a row. An answer that was begun stays.
function put(row, piece) {
  const answer = row.querySelector("textarea");
  if (answer?.value) {
    const place = piece.querySelector("textarea");
    if (place) place.value = answer.value;
    else piece.append(answer.closest("details"));
  }
  // Where the moderator is by now, which may be elsewhere.
  const had = row.contains(document.activeElement);
  const following = rowAfter(row) ?? rowBefore(row);
  row.replaceWith(piece);
  if (had) (piece.matches(UNDECIDED) ? piece : (following ?? piece)).focus();
}

let refilled = Promise.resolve();

// Fills the page up from below, and brings the counts up to date.
async function refill() {
  const last = [...list.querySelectorAll("[data-cursor]")].at(-1);
  const address = new URLSearchParams(queue.dataset.filters);
  if (last) address.set("before", last.dataset.cursor);
  const next = document.querySelector("#queue-following a");
  address.set("rows", next ? wanted - list.querySelectorAll(UNDECIDED).length : 0);
  const response = await fetch(`${queue.dataset.more}?${address}`);
  if (!response.ok || response.redirected) return;
  const more = pieceOf(await response.text());
  document.getElementById("queue-tabs").replaceWith(more.querySelector("#queue-tabs"));
  if (Number(address.get("rows")) > 0) {
    const rows = [...more.querySelectorAll(UNDECIDED)];
    list.append(...rows.filter((row) => !document.getElementById(row.id)));
    document.getElementById("queue-following").replaceWith(more.querySelector("#queue-following"));
  }
}

// Shows what others have decided on the comments of this page.
async function watch() {
  if (document.hidden) return;
  const rows = [...list.querySelectorAll(UNDECIDED)];
  if (!rows.length) return;
  const address = new URLSearchParams({
    comments: rows.map((row) => row.dataset.comment).join(","),
    seen: Math.min(...rows.map((row) => row.dataset.seen)),
  });
  const response = await fetch(`${queue.dataset.news}?${address}`).catch(() => null);
  if (!response?.ok || response.redirected) return;
  for (const told of pieceOf(await response.text()).querySelectorAll("[data-comment]")) {
    const row = document.getElementById(`row-${told.dataset.comment}`);
    if (!row) continue;
    row.querySelector(".queue-overtaken")?.remove();
    told.className = "queue-overtaken";
    row.prepend(told);
  }
}
setInterval(watch, PAUSE);

function pieceOf(text) {
  return document.createRange().createContextualFragment(text);
}

function say(text) {
  status.textContent = text.trim();
}

// An answer that was begun is not lost to a page that loads.
let isSending = false;
form.addEventListener("submit", (event) => {
  isSending = Boolean(event.submitter?.closest("details")?.querySelector("textarea"));
});
window.addEventListener("beforeunload", (event) => {
  const begun = [...list.querySelectorAll("textarea")].filter((one) => one.value);
  if (begun.length > (isSending ? 1 : 0)) event.preventDefault();
});

// --- By keyboard ---

const KEY = "newsite.queue.keys";
const box = document.getElementById("queue-keys-on");
const help = document.getElementById("queue-keys");
const MANY = {
  A: "approve",
  U: "hold",
  S: "mark_as_spam",
  D: "trash",
  T: "trash",
  Z: "restore",
};

try {
  box.checked = localStorage.getItem(KEY) === "on";
  box.addEventListener("change", () => localStorage.setItem(KEY, box.checked ? "on" : "off"));
} catch {
  // Where storage is blocked, the choice lasts as long as the page.
}

function rowAfter(row) {
  const rows = [...list.querySelectorAll("[data-comment]")];
  return rows.slice(rows.indexOf(row) + 1).find((other) => other.matches(UNDECIDED));
}

function rowBefore(row) {
  const rows = [...list.querySelectorAll("[data-comment]")];
  return rows.slice(0, rows.indexOf(row)).findLast((other) => other.matches(UNDECIDED));
}

function current() {
  return document.activeElement.closest?.("[data-comment]") ?? null;
}

function move(step) {
  const row = current();
  const rows = [...list.querySelectorAll("[data-comment]")];
  const place = row ? rows.indexOf(row) + step : step > 0 ? 0 : rows.length - 1;
  if (rows[place]) rows[place].focus();
  else if (step > 0) document.querySelector("#queue-following a")?.click();
  else if (new URLSearchParams(location.search).has("before")) history.back();
}

function tickAll() {
  const boxes = [...list.querySelectorAll("[name=ticked]")];
  const on = boxes.some((one) => !one.checked);
  for (const one of boxes) one.checked = on;
}

function decideOnTicked(decision) {
  document.getElementById("queue-decision").value = decision;
  document.getElementById("queue-scope").value = "ticked";
  form.requestSubmit();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("textarea, select, input:not([type=checkbox])")) return;
  if (event.key === "?") {
    help.open = true;
    box.focus();
    return;
  }
  if (!box.checked) return;
  const row = current();
  // Not what Caps Lock makes of a key.
  const letter = event.key === "q" ? "e" : event.key.toLowerCase();
  const key = event.shiftKey ? letter.toUpperCase() : letter;
  // A key that is held down would decide on comments that nobody has read.
  if (event.repeat && !"jk".includes(key)) return;
  if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "X") tickAll();
  else if (MANY[key]) decideOnTicked(MANY[key]);
  else if (row && "xausdzre".includes(key)) press(row, key);
  else return;
  event.preventDefault();
});

function press(row, key) {
  const target = row.querySelector(`[data-key="${key}"]`);
  if (!target) return;
  target.click();
  if (key === "r") row.querySelector("textarea").focus();
}
