// Shows times in the reader's zone.
for (const element of document.querySelectorAll("time[datetime]")) {
  const at = new Date(element.dateTime);
  if (!Number.isNaN(at.getTime())) {
    element.title = element.dateTime;
    element.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}
