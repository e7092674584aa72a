// Writes into the table of trials what running ones report, at once; new rows and new states come with the fragment.
import { number } from "./numbers.js";

document.addEventListener("trimtab:report", ({ detail }) => {
  const row = document.querySelector(`.trials tr[data-key="${detail.number}"][data-state="running"]`);
  if (!row) {
    return;
  }
  row.querySelector("[data-step]").textContent = detail.step;
  for (const cell of row.querySelectorAll("[data-metric]")) {
    if (cell.dataset.metric in detail.metrics) {
      cell.textContent = number(detail.metrics[cell.dataset.metric]);
    }
  }
});
