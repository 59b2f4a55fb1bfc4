// The server writes moments in its own zone. Here they get the reader's words ("2 minutes
// ago") and the reader's zone, and keep up with the clock. The full time is shown on demand:
// see .moment in the stylesheet.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const UNITS = [["day", DAY], ["hour", HOUR], ["minute", MINUTE]];

const { lang } = document.documentElement;
// The page's language, as it is written where the reader lives.
const language = (!lang.includes("-") && navigator.languages.find((own) => own.split("-")[0] === lang)) || lang;
const relative = new Intl.RelativeTimeFormat(language);
const now = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "second");
const date = new Intl.DateTimeFormat(language, { dateStyle: "long" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "short" });

// How long that is in its largest unit, like [3, "hour"].
function measured(milliseconds) {
  const [unit, length] = UNITS.find(([, length]) => milliseconds >= length) ?? UNITS.at(-1);
  return [Math.floor(milliseconds / length), unit];
}

function words(at) {
  const age = Date.now() - at;
  // The clocks of two machines seldom agree on the minute.
  if (age < -5 * MINUTE) return full.format(at);
  if (age < MINUTE) return now;
  if (age >= 7 * DAY) return date.format(at);
  const [count, unit] = measured(age);
  return relative.format(-count, unit);
}

function left(until) {
  const [count, unit] = measured(until - Date.now());
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(Math.max(1, count));
}

function say(time, text) {
  if (time.textContent !== text) time.textContent = text;
}

function update() {
  for (const time of document.querySelectorAll(".moment")) {
    const at = new Date(time.dateTime);
    if (!time.title) {
      time.title = time.dataset.full = full.format(at);
      // Within reach of a keyboard and of a finger.
      if (!time.closest("a")) time.tabIndex = 0;
    }
    say(time, words(at));
  }
  for (const time of document.querySelectorAll(".remaining")) {
    const until = new Date(time.dateTime);
    if (until > Date.now()) say(time, left(until));
    else time.closest(".while-it-works").remove();
  }
}

update();
setInterval(update, MINUTE / 2);
