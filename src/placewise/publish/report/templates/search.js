(function () {
  const MOST = 12;
  const settings = JSON.parse(document.getElementById("area-settings").textContent);
  const box = document.getElementById("search-box");
  const list = document.getElementById("search-list");
  const status = document.getElementById("search-status");
  const card = document.getElementById("card");
  const types = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };
  let loading = null, active = -1;

  function unpack() {
    if (typeof DecompressionStream === "undefined") {
      return Promise.reject(new Error("This browser cannot unpack the index; the figures are in estimates.csv."));
    }
    const text = atob(document.getElementById("area-data").textContent.trim());
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer().then(function (buffer) {
      const index = {};
      for (const c of settings.columns) {
        const part = buffer.slice(c.offset, c.offset + c.length);
        index[c.name] = c.name === "codes" || c.name === "names" ? new TextDecoder().decode(part).split("\n") : new types[c.type](part);
      }
      index.keys = index.codes.map(function (code, i) { return (index.names[i] + " " + code).toLowerCase(); });
      return index;
    });
  }

  function load() {
    if (!loading) {
      status.textContent = "Unpacking the index …";
      loading = unpack().then(function (index) { status.textContent = ""; return index; });
      loading.catch(function (error) { status.textContent = error.message; });
    }
    return loading;
  }

  function levelOf(row) {
    return settings.levels.find(function (l) { return row >= l.start && row < l.start + l.rows; });
  }

  function nameOf(index, row) {
    return levelOf(row).level === "national" ? "Nation" : index.names[row] || index.codes[row];
  }

  function parents(index, row) {
    const found = [];
    let at = index.parent[row];
    while (levelOf(at).level !== "national") { found.push(at); at = index.parent[at]; }
    return found;
  }

  function area(index, row) {
    const level = levelOf(row), words = settings.words[level.level] || ["nation", "nations"];
    const at = function (steps) { return settings.low + steps * settings.step; };
    const name = nameOf(index, row);
    return {
      code: index.codes[row], name: name, label: name, one: words[0], many: words[1], of: level.rows,
      mean: at(index.mean[row]), low: at(index.mean[row] - index.below[row]), high: at(index.mean[row] + index.above[row]),
      p: index.p[row] === 255 ? null : index.p[row], verdict: index.verdict[row], flags: index.flags[row], grey: (index.flags[row] & 2) > 0,
      grade: index.grade[row] ? String.fromCharCode(index.grade[row]) : "", population: index.population[row],
      rankLow: index.rank_lower[row], rankHigh: index.rank_upper[row]
    };
  }

  function show(index, row, focus) {
    const rows = [row].concat(parents(index, row), index.codes.length - 1);
    cards.show(card, rows.map(function (r) { return area(index, r); }), settings);
    if (focus) card.focus();
  }

  function matches(index, text) {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean), first = [], then = [];
    const last = index.codes.length - 1;
    if (!words.length) return [];
    for (let k = settings.levels.length - 2; k >= 0; k--) {
      const level = settings.levels[k];
      for (let i = level.start; i < level.start + level.rows && first.length < MOST; i++) {
        const key = index.keys[i];
        if (i === last || !words.every(function (w) { return key.includes(w); })) continue;
        const start = key.startsWith(words[0]) || index.codes[i].toLowerCase().startsWith(words[0]);
        if (start) first.push(i); else if (then.length < MOST) then.push(i);
      }
    }
    return first.concat(then).slice(0, MOST);
  }

  function close() {
    list.hidden = true;
    list.textContent = "";
    active = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }

  function choose(index, row) {
    close();
    box.value = nameOf(index, row);
    history.replaceState(null, "", "#area=" + encodeURIComponent(index.codes[row]));
    show(index, row, true);
  }

  function suggest(index) {
    const found = matches(index, box.value);
    close();
    status.textContent = box.value.trim() && !found.length ? "No area has that name or code." : "";
    found.forEach(function (row, k) {
      const item = document.createElement("li");
      item.id = "option-" + k;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.textContent = nameOf(index, row);
      const small = document.createElement("small");
      const inside = parents(index, row).map(function (r) { return nameOf(index, r); }).slice(0, 3).join(", ");
      small.textContent = settings.words[levelOf(row).level][0] + (inside ? " in " + inside : "");
      item.appendChild(small);
      item.addEventListener("mousedown", function (event) { event.preventDefault(); choose(index, row); });
      item.dataset.row = row;
      list.appendChild(item);
    });
    if (found.length) { list.hidden = false; box.setAttribute("aria-expanded", "true"); }
  }

  function move(by) {
    const items = list.children;
    if (!items.length) return;
    if (active >= 0) items[active].setAttribute("aria-selected", "false");
    active = (active + by + items.length + (active < 0 && by < 0 ? 1 : 0)) % items.length;
    items[active].setAttribute("aria-selected", "true");
    items[active].scrollIntoView({ block: "nearest" });
    box.setAttribute("aria-activedescendant", items[active].id);
  }

  box.addEventListener("focus", function () { load().catch(function () {}); });
  box.addEventListener("input", function () { load().then(suggest, function () {}); });
  box.addEventListener("blur", close);
  box.addEventListener("keydown", function (event) {
    if (event.key === "ArrowDown") { move(1); event.preventDefault(); }
    else if (event.key === "ArrowUp") { move(-1); event.preventDefault(); }
    else if (event.key === "Escape") close();
    else if (event.key === "Enter" && list.children.length) {
      const row = Number(list.children[Math.max(active, 0)].dataset.row);
      load().then(function (index) { choose(index, row); });
      event.preventDefault();
    }
  });

  function follow() {
    if (!location.hash.startsWith("#area=")) return;
    let code = location.hash.slice(6);
    try { code = decodeURIComponent(code); } catch (error) { return; }
    load().then(function (index) {
      const row = index.codes.indexOf(code);
      if (row < 0) { status.textContent = "No area has the code " + code + "."; return; }
      box.value = nameOf(index, row);
      show(index, row, false);
      document.getElementById("find").scrollIntoView();
    }, function () {});
  }

  document.getElementById("search").hidden = false;
  window.addEventListener("hashchange", follow);
  follow();
})();
