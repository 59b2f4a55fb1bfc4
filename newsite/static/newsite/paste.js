// Word processors and mail programs say with styles what a story says with tags. The site's policy
// lets no pasted style apply, so the editor would find none: here they are read as text, and become
// tags, before the editor sees them. What is dropped into the editor comes this way too.

const HEADINGS = "h1, h2, h3, h4, h5, h6";
// Spaces that were made unbreakable so that they are not lost on the way.
const SPACES = ".Apple-converted-space, [style*='mso-spacerun' i]";
const HOLDS_BLOCKS = ":has(> :is(blockquote, div, dl, h1, h2, h3, h4, h5, h6, li, ol, p, table, tbody, td, th, tr, ul))";
const OF_TAGS = {
  b: { bold: true },
  del: { strike: true },
  em: { italic: true },
  i: { italic: true },
  s: { strike: true },
  strike: { strike: true },
  strong: { bold: true },
  sub: { height: "sub" },
  sup: { height: "sup" },
};
const HEIGHTS = { baseline: "", sub: "sub", super: "sup" };
// "1.", "b)", "(iv)", "2.1.", "三、": any other mark is a bullet, Word's "o" too.
const NUMBER = /^[(（]?(?:\d+\.)*(\d+|[\p{L}\p{N}]{1,5}(?=[.)、．）]))[.)、．）]?$/u;
const WRITTEN_MARK = /^\s*([·•▪§o–-]|[(（]?[\d.\p{L}]{1,8}[.)、．）])\s*\u00a0\s*/u;

document.addEventListener("prose-editor:ready", ({ detail: { editor } }) => {
  editor.view.setProps({ transformPastedHTML: withTags });
});

function withTags(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const { content } = template;
  const styles = stylesIn(content);
  for (const [element, style] of styles) {
    if (style.display === "none") element.remove();
  }
  for (const space of content.querySelectorAll(SPACES)) space.replaceWith(" ");
  const texts = [...markedTexts(content, {}, styles)];
  nestItems(content);
  nameHeadings(content);
  for (const styled of content.querySelectorAll("[style]")) styled.removeAttribute("style");
  for (const tag of content.querySelectorAll(Object.keys(OF_TAGS).join())) tag.replaceWith(...tag.childNodes);
  for (const [text, marks] of texts) wrap(text, marks);
  for (const heading of content.querySelectorAll(HEADINGS)) keepBoldOfParts(heading);
  return template.innerHTML;
}

// --- Styles ---

// Returns what the pasted sheets and attributes say of each element that they speak of.
function stylesIn(content) {
  const styles = new Map();
  const add = (element, text) => {
    if (!styles.has(element)) styles.set(element, document.createElement("span").style);
    styles.get(element).cssText += `;${text}`;
  };
  for (const sheet of content.querySelectorAll("style")) {
    for (const rule of rulesOf(sheet.textContent)) {
      for (const element of content.querySelectorAll(rule.selectorText)) add(element, rule.style.cssText);
    }
    sheet.remove();
  }
  for (const element of content.querySelectorAll("[style]")) add(element, element.getAttribute("style"));
  return styles;
}

function rulesOf(text) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return [...sheet.cssRules].filter((rule) => rule instanceof CSSStyleRule);
}

// --- Bold, italic and their like ---

// Yields each text with its marks: those of the nearest element that says anything about them.
function* markedTexts(node, marks, styles) {
  const isInline = !(node instanceof Element && node.matches(HOLDS_BLOCKS));
  for (const child of node.childNodes) {
    if (child instanceof Element) {
      yield* markedTexts(child, { ...marks, ...OF_TAGS[child.localName], ...marksOf(styles.get(child)) }, styles);
    } else if (child instanceof Text && (isInline || child.data.trim())) {
      yield [child, marks];
    }
  }
}

function marksOf(style) {
  const marks = {};
  if (/^(normal|lighter|bold|bolder|\d+)$/.test(style?.fontWeight)) {
    marks.bold = style.fontWeight.startsWith("bold") || style.fontWeight >= 600;
  }
  if (/^(normal|italic|oblique)/.test(style?.fontStyle)) marks.italic = style.fontStyle !== "normal";
  if (style?.textDecorationLine.includes("line-through")) marks.strike = true;
  if (style?.verticalAlign in HEIGHTS) marks.height = HEIGHTS[style.verticalAlign];
  return marks;
}

function wrap(text, { bold, italic, strike, height }) {
  for (const name of [height, strike && "s", italic && "em", bold && "strong"].filter(Boolean)) {
    const mark = document.createElement(name);
    text.replaceWith(mark);
    mark.append(text);
    text = mark;
  }
}

// --- Headings ---

// Word in a browser has paragraphs that it calls headings. Where one is of the first level, which is
// that of the story's headline, all of them go one down.
function nameHeadings(content) {
  for (const named of content.querySelectorAll("[role=heading][aria-level]")) {
    rename(named, `h${Math.min(named.ariaLevel, 6)}`);
  }
  const down = content.querySelector("h1") ? 1 : 0;
  for (const heading of content.querySelectorAll(HEADINGS)) {
    rename(heading, `h${Math.min(Number(heading.localName[1]) + down, 4)}`);
  }
}

// A heading that is bold as a whole looks so anyway.
function keepBoldOfParts(heading) {
  const bold = [...heading.querySelectorAll("strong")];
  if (letters(bold) !== letters([heading])) return;
  for (const mark of bold) mark.replaceWith(...mark.childNodes);
}

function letters(elements) {
  return elements.map((element) => element.textContent).join("").replace(/\s/g, "");
}

function rename(element, name) {
  if (element.localName === name) return;
  const renamed = document.createElement(name);
  renamed.append(...element.childNodes);
  element.replaceWith(renamed);
}

// --- Lists ---

// Word's lists are paragraphs, each with its level and its mark. In a browser, Word has a list for
// each item, side by side, whatever their levels.
function nestItems(content) {
  for (const end of content.querySelectorAll(".EOP")) end.remove();
  for (const wrapper of content.querySelectorAll(".ListContainerWrapper")) wrapper.replaceWith(...wrapper.childNodes);
  let open = []; // the lists that an item may go on with, the outermost first
  for (const row of content.querySelectorAll("p, li[data-aria-level]")) {
    const item = row.localName === "p" ? itemOfParagraph(row) : itemOfList(row);
    if (!item) continue;
    if (item.place.previousElementSibling !== open[0]?.list) open = [];
    openListFor(item, open);
    open.at(-1).list.append(row.localName === "p" ? within(row) : row);
    if (item.place !== row && !item.place.childElementCount) item.place.remove();
  }
}

function itemOfParagraph(place) {
  const [, name, level] = /mso-list:\s*(\S+) level(\d)/i.exec(place.getAttribute("style")) ?? [];
  if (place.closest("li") || !(name || /MsoListParagraph/.test(place.className))) return null;
  const mark = takeMark(place);
  if (!(name || mark)) return null;
  const number = NUMBER.exec(mark);
  return { place, name, level: Number(level ?? 1), isNumbered: Boolean(number), start: parseInt(number?.[1]) || 1 };
}

function itemOfList(item) {
  const place = item.parentElement;
  if (!place?.matches("ol, ul") || place.closest("li")) return null;
  const { ariaLevel, listid } = item.dataset;
  return { place, name: listid, level: Number(ariaLevel), isNumbered: place.localName === "ol", start: place.start };
}

function takeMark(paragraph) {
  const ignored = paragraph.querySelector("[style*='mso-list:ignore' i]");
  if (ignored) {
    ignored.remove();
    return ignored.textContent.trim();
  }
  const [all, mark] = WRITTEN_MARK.exec(paragraph.textContent) ?? ["", ""];
  let rest = all.length;
  for (const [text] of markedTexts(paragraph, {}, new Map())) {
    const here = Math.min(rest, text.length);
    text.deleteData(0, here);
    rest -= here;
  }
  return mark;
}

// Ends the lists that the item is not in, and begins those that it is.
function openListFor({ place, name, level, isNumbered, start }, open) {
  while (open.length > 1 && open.at(-1).level > level) open.pop();
  let last = open.at(-1);
  if (last?.level > level) last.level = level; // the first of all stood further in
  if (last?.level === level && (last.isNumbered !== isNumbered || (isNumbered && last.name !== name))) {
    open.pop();
    last = open.at(-1);
  }
  if (last?.level === level) return;
  const list = document.createElement(isNumbered ? "ol" : "ul");
  if (isNumbered) list.start = start;
  if (last) last.list.lastElementChild.append(list);
  else place.before(list);
  open.push({ list, name, level, isNumbered });
}

function within(paragraph) {
  const item = document.createElement("li");
  item.append(paragraph);
  return item;
}
