// "/" goes to the question, Esc leaves it; on a file's page Esc goes back. Everything works without this.
document.addEventListener("keydown", function (event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  var typing = event.target.closest("input, textarea, select");
  var question = document.getElementById("question");
  if (event.key === "/" && !typing && question) {
    event.preventDefault();
    question.focus();
    question.select();
  } else if (event.key === "Escape" && typing) {
    event.target.blur();
  } else if (event.key === "Escape" && document.querySelector("main[data-back]")) {
    history.back();
  }
});

// Once an answer is whole, the address is its own, so that one comes back to it.
document.addEventListener("htmx:sseClose", function () {
  var link = document.querySelector("#answer a[data-own]");
  if (link) history.replaceState(null, "", link.getAttribute("href"));
});
