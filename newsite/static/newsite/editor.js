// The rich-text editor stands in for a textarea, and takes its label over here: a screen
// reader would otherwise announce a field without a name.

document.addEventListener("prose-editor:ready", ({ detail: { editor, textarea } }) => {
  editor.view.dom.setAttribute("aria-label", textarea.labels[0].textContent.replace(/:\s*$/, ""));
});
