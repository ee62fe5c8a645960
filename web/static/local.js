// Puts the viewer's own time beside every UTC time, and keeps a wall display
// (?wall) fresh. Pages say everything without it.
(function () {
  "use strict";
  if (new Date().getTimezoneOffset() !== 0) {
    var formats = [true, false].map(function (seconds) {
      return new Intl.DateTimeFormat(undefined, {
        day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: seconds ? "2-digit" : undefined, hourCycle: "h23", timeZoneName: "short"
      });
    });
    document.querySelectorAll("time[datetime]").forEach(function (t) {
      var at = new Date(t.getAttribute("datetime"));
      if (isNaN(at.getTime())) { return; }
      var local = document.createElement("span");
      local.className = "local";
      local.textContent = "(" + formats[t.hasAttribute("data-minute") ? 1 : 0].format(at) + ")";
      t.append(" ", local);
    });
  }
  var every = Number(document.body.getAttribute("data-refresh"));
  if (every > 0) {
    setTimeout(function () { location.reload(); }, every * 1000);
  }
})();
