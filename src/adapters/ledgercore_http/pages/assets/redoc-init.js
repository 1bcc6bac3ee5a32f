"use strict";

{
  const place = document.getElementById("docs");
  document.body.style.margin = "0";
  Redoc.init(place.dataset.openapiUrl, {}, place);
}
