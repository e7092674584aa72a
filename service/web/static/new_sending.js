// Sends what is written to the service, without leaving the page: whatever goes wrong, it stays as it was written.

const SIGNED_OUT = "You are signed out. Sign in again in another window, then go on here.";
const keys = document.querySelectorAll("[name=form_key]");

/** Posts a spec's JSON. Where somebody has signed in again since the page was opened, with the key of that session. */
export async function send(address, json, options = {}) {
  const key = keys[0].value;
  const answer = await post(address, json, options);
  return answer.status === 403 && (await isRenewed(key)) ? post(address, json, options) : answer;
}

/** What an answer says against it: of each field, or of all. */
export async function against(answer) {
  if (answer.status === 401) {
    return [{ field: "body", message: SIGNED_OUT }];
  }
  const text = await answer.text();
  if (answer.headers.get("Content-Type")?.includes("json")) {
    const { detail, errors } = JSON.parse(text);
    return errors?.length ? errors : [{ field: "body", message: detail }];
  }
  const page = parsed(text);
  const problems = page.getElementById("problem");
  const said = page.querySelector("main .problem")?.textContent.trim();
  const detail = said ?? `The service answered with ${answer.status}.`;
  return problems ? problemsOf(problems) : [{ field: "body", message: detail }];
}

/** The problems that a page came with. */
export function problemsOf(box) {
  const items = [...box.querySelectorAll("li")];
  const detail = box.querySelector("p").textContent;
  return items.length || !detail
    ? items.map((item) => ({ field: item.dataset.at, message: item.querySelector("span").textContent }))
    : [{ field: "body", message: detail }];
}

function post(address, json, options) {
  const body = new URLSearchParams({ form_key: keys[0].value, spec: json });
  return fetch(address, { method: "POST", body, ...options });
}

/** Takes the key of the session that is; returns whether it is another than the one given, whoever took it first. */
async function isRenewed(before) {
  const answer = await fetch("/new");
  const fresh = parsed(await answer.text()).querySelector("#creation [name=form_key]")?.value;
  if (fresh !== undefined) {
    keys.forEach((key) => (key.value = fresh));
  }
  return fresh !== undefined && fresh !== before;
}

function parsed(html) {
  return new DOMParser().parseFromString(html, "text/html");
}
