// For those who come back to a conversation: what is new since their last visit is
// marked, and what comes in while the page is open is announced. What someone has seen
// is kept in this browser and told to nobody.

const MINUTE = 60_000;
const REPORTS_KEPT = 200;

const discussion = document.getElementById("comments");
const arrivals = document.getElementById("arrivals");
// What was announced last.
let shown = "";

const reported = document.querySelector("[data-reported]");

if (reported) keep("newsite.reported", (reports) => [...reports, reported.dataset.reported].slice(-REPORTS_KEPT));
if (discussion?.dataset.story) {
  markNew(discussion.dataset);
  markReported(discussion.dataset);
  foldLong(discussion.dataset);
}
if (arrivals) announce();

// Change what this browser keeps under a name, a list at first, and return it. Where storage
// is blocked, full or not ours, that is an empty one.
function keep(name, change) {
  try {
    const kept = JSON.parse(localStorage.getItem(name)) ?? [];
    const changed = change(kept);
    if (changed !== kept) localStorage.setItem(name, JSON.stringify(changed));
    return changed;
  } catch {
    return [];
  }
}

// --- What one has reported ---

function markReported({ reportedLabel }) {
  for (const id of keep("newsite.reported", (reports) => reports)) {
    const link = document.querySelector(`#comment-${CSS.escape(id)} .comment-report`);
    link?.replaceWith(element("span", reportedLabel));
  }
}

// --- Long comments ---

// Without this they are whole, as they are on paper.
function foldLong({ moreLabel }) {
  const longest = 45 * parseFloat(getComputedStyle(document.documentElement).fontSize);
  const isLong = (text) => text.offsetHeight > longest && `#${text.parentElement.id}` !== location.hash;
  for (const text of [...discussion.querySelectorAll(".comment-text")].filter(isLong)) {
    const more = element("button", moreLabel);
    const unfold = () => {
      text.classList.remove("folded");
      more.remove();
    };
    text.classList.add("folded");
    more.className = "read-more";
    more.onclick = () => {
      unfold();
      text.parentElement.focus({ preventScroll: true });
    };
    // A word in it was looked for and found, or the focus has gone to a link in it.
    text.addEventListener("scroll", unfold, { once: true });
    text.after(more);
  }
}

// --- New since the last visit ---

function markNew({ story, newest, newLabel, nextLabel }) {
  const seen = startVisit(story, Number(newest));
  // The comment that a link has led to is no surprise; it may be the reader's own.
  const isNew = ({ id }) => Number(id.replace("comment-", "")) > seen && `#${id}` !== location.hash;
  const comments = [...discussion.querySelectorAll(".comment")].filter(isNew);

  comments.forEach((comment, index) => {
    const label = element("span", newLabel);
    label.className = "comment-new";
    const header = comment.querySelector("header");
    header.append(label);
    if (index + 1 < comments.length) header.append(element("a", nextLabel, `#${comments[index + 1].id}`));
  });

  // From the server this link leads to the newest comment, which may be on another page.
  const first = document.getElementById("first-new");
  if (!first || !(comments.length || (newest > seen && location.hash !== `#comment-${newest}`))) return;
  first.append(element("a", first.dataset.label, comments.length ? `#${comments[0].id}` : first.dataset.address));
}

// Note that this story was seen up to its newest comment, and return up to which one it
// had been seen before this visit.
function startVisit(story, newest) {
  const key = "newsite.seen";
  const storiesKept = 200;
  // Pages that are opened one after the other are one visit: a second page of the
  // conversation, or the same page again, has to show what is new as well.
  const betweenVisits = 30 * MINUTE;
  try {
    const stories = JSON.parse(localStorage.getItem(key)) ?? {};
    const [before, last, at] = stories[story] ?? [newest, newest, 0];
    const seen = Date.now() - at > betweenVisits ? last : before;
    if (newest) stories[story] = [seen, Math.max(last, newest), Date.now()];
    const latest = Object.entries(stories).sort(([, a], [, b]) => b[2] - a[2]);
    localStorage.setItem(key, JSON.stringify(Object.fromEntries(latest.slice(0, storiesKept))));
    return seen;
  } catch {
    // Storage is blocked, full or not ours: then nothing is new.
    return newest;
  }
}

// --- New while the page is open ---

function announce() {
  const every = MINUTE / 2;
  const until = Date.now() + 60 * MINUTE;
  let wait = every;
  let asked = Date.now();
  let timer;

  // Nobody reads a hidden tab, so it asks nothing.
  function schedule() {
    clearTimeout(timer);
    if (document.hidden || Date.now() > until) return;
    timer = setTimeout(ask, Math.max(0, asked + wait - Date.now()));
  }

  async function ask() {
    asked = Date.now();
    try {
      // The browser sends the ETag along by itself, and takes a 304 for the same answer.
      const response = await fetch(arrivals.dataset.address);
      if (!response.ok) throw new Error(response.status);
      show(await response.json());
      wait = every;
    } catch {
      // A server in trouble, or no network, is asked ever more seldom.
      wait *= 2;
    }
    schedule();
  }

  document.addEventListener("visibilitychange", schedule);
  schedule();
}

function show({ text, address }) {
  // The same words again would be read out again, or come back after they were sent away.
  if (shown === text) return;
  shown = text;
  const status = arrivals.firstElementChild;
  status.replaceChildren(...(text ? [element("a", text, address)] : []));
  if (!text || status.nextSibling) return;
  const dismiss = element("button", "×");
  dismiss.setAttribute("aria-label", arrivals.dataset.dismissLabel);
  dismiss.onclick = () => {
    status.replaceChildren();
    dismiss.remove();
  };
  status.after(dismiss);
}

function element(tag, text, address) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (address) made.href = address;
  return made;
}
