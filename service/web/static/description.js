// Draws the description of the API, dark where the browser is.

const darkness = matchMedia("(prefers-color-scheme: dark)");

function darken() {
  document.documentElement.classList.toggle("dark-mode", darkness.matches);
}

darkness.addEventListener("change", darken);
darken();

// Without a validator: Swagger UI's own is on another host.
window.SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#description",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
