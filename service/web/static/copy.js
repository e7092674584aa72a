// Buttons that copy what an element says: <button data-copy="id of the element">.

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) {
    return;
  }
  const element = document.getElementById(button.dataset.copy);
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(element.textContent);
    button.textContent = "Copied";
  } catch {
    // Browsers give the clipboard to pages of this machine or by TLS only. What is selected has to be seen.
    element.closest("details")?.setAttribute("open", "");
    getSelection().selectAllChildren(element);
    button.textContent = "Selected: copy it";
  }
  setTimeout(() => (button.textContent = before), 2000);
});
