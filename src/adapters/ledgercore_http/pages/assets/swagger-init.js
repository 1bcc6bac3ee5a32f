"use strict";

{
  const place = document.getElementById("docs");
  document.body.style.margin = "0";
  SwaggerUIBundle({
    domNode: place,
    url: place.dataset.openapiUrl,
    deepLinking: true,
    displayRequestDuration: true,
    validatorUrl: null, // the validator is somebody else's server
  });
}
