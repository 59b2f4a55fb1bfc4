// The moderation queue by keyboard, for those who have switched the keys on. What a key does,
// a button or a link does as well: it is pressed.

const list = document.getElementById("queue-rows");
const form = document.getElementById("queue-form");

const KEY = "newsite.queue.keys";
const PLACE = "newsite.queue.place";
const box = document.getElementById("queue-keys-on");
const help = document.getElementById("queue-keys");
const opener = document.getElementById("queue-keys-open");
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
  goOn();
} catch {
  // Where storage is blocked, the choice lasts as long as the page.
}

function current() {
  return document.activeElement.closest?.("[data-comment]") ?? null;
}

// What is told within a row names its comment as well.
const rowsOf = () => [...list.querySelectorAll(":scope > [data-comment]")];

function move(step) {
  const row = current()?.closest("#queue-rows > [data-comment]");
  const rows = rowsOf();
  const place = row ? rows.indexOf(row) + step : step > 0 ? 0 : rows.length - 1;
  if (rows[place]) rows[place].focus();
  else if (step > 0) document.querySelector("#queue-following a")?.click();
  else document.querySelector("#queue-preceding a")?.click();
}

function tickAll() {
  const boxes = [...list.querySelectorAll("[name=ticked]")];
  const on = boxes.some((one) => !one.checked);
  for (const one of boxes) one.checked = on;
}

function decideOnTicked(decision) {
  if (!list.querySelector("[name=ticked]:checked")) return warn("noneTicked");
  document.getElementById("queue-decision").value = decision;
  document.getElementById("queue-scope").value = "ticked";
  try {
    remember();
  } catch {
    // Where storage is blocked, the page begins at its top.
  }
  form.requestSubmit();
}

// The page that loads then goes on at the next comment that is not decided on.
function remember() {
  const rows = rowsOf();
  const left = rows.filter((row) => row.querySelector("[name=ticked]")?.checked === false);
  const here = rows.indexOf(current());
  const next = left.find((row) => rows.indexOf(row) > here) ?? left.at(-1);
  if (next) sessionStorage.setItem(PLACE, next.id);
}

function goOn() {
  const place = sessionStorage.getItem(PLACE);
  sessionStorage.removeItem(PLACE);
  if (place) document.getElementById(place)?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest(".queue-panel, textarea, select, input:not([type=checkbox])")) return;
  if (event.key === "?") return help.open ? help.close() : openHelp();
  if (!box.checked) return;
  // Not what Caps Lock makes of a key.
  const letter = event.key === "q" ? "e" : event.key.toLowerCase();
  const key = event.shiftKey ? letter.toUpperCase() : letter;
  // A key that is held down would decide on comments that nobody has read.
  if (event.repeat && !"jk".includes(key)) return;
  if (!(key in MANY) && !"jkXxausdzre".includes(key)) return;
  help.close();
  const row = current();
  if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "X") tickAll();
  else if (MANY[key]) decideOnTicked(MANY[key]);
  else if (key === "z" && !row?.querySelector("[data-key=z]")) undoLatest();
  else if (row) press(row, key);
  else return;
  event.preventDefault();
});

function openHelp() {
  help.showModal();
  box.focus();
}

opener.hidden = false;
opener.addEventListener("click", openHelp);

function warn(what) {
  list.dispatchEvent(new CustomEvent("queue-warning", { detail: what }));
}

function press(row, key) {
  const target = row.querySelector(`[data-key="${key}"]`);
  const answer = key === "r" && target?.closest("details");
  if (!answer) return target?.click();
  answer.open = true;
  answer.querySelector("textarea").focus();
}

// Leads back to the comment that was decided on last: it may have been the wrong key.
function undoLatest() {
  const decided = [...list.querySelectorAll("[data-decided]")];
  const rows = decided.filter((row) => row.querySelector("[data-undoes]"));
  const latest = rows.sort((one, other) => one.dataset.decided - other.dataset.decided).at(-1);
  if (!latest) return warn("nothingToUndo");
  latest.focus();
  latest.querySelector("[data-undoes]").click();
}
