// Creates the study. It is shown then; if it is refused, the page stays as it is.
import { read } from "./new_json.js";
import { against, send } from "./new_sending.js";

const UNSURE = "The service gave no answer. Create it again: the same study is never created twice.";

/** Has the form of a page create what is written; `refused` is given what is said against it. */
export function creation(form, refused) {
  let isUnderWay = false;

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { spec } = form.elements;
    if (read(spec.value).problem) {
      spec.focus(); // What is wrong with it stands below it already.
    } else if (!isUnderWay) {
      isUnderWay = true;
      await create(spec.value).catch(() => refused([{ field: "body", message: UNSURE }]));
      isUnderWay = false;
    }
  });

  async function create(json) {
    // Where it leads to is asked for once, by the window.
    const answer = await send(form.action, json, { redirect: "manual" });
    if (answer.type === "opaqueredirect") {
      location.assign(`/studies/${encodeURIComponent(read(json).value.name)}`);
    } else {
      refused(await against(answer));
    }
  }
}
