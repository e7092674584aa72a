// Has the page of a study that had ended made anew when the study goes on.
document.addEventListener("trimtab:study", ({ detail: study }) => {
  if (study.state === "running" || study.state === "paused") {
    location.reload();
  }
});
