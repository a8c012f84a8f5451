const cards = (function () {
  function add(parent, name, text, look) {
    const node = document.createElement(name);
    if (text) node.textContent = text;
    if (look) node.className = look;
    parent.appendChild(node);
    return node;
  }

  function percent(p) {
    return p < 1 ? "less than 1%" : p > 99 ? "more than 99%" : p + "%";
  }

  function sentence(area, nation, settings) {
    const kind = settings.kind;
    const given = settings.frame ? "who lives there and where it is" : "where it is and what is known about it";
    let text = "Given " + given + ", we would expect the " + settings.estimand + " in " + area.label + " to be "
      + figures.number(area.mean, area.high - area.low, kind) + " (" + figures.interval(area.low, area.high, kind) + "); nationally it is "
      + figures.number(nation.mean, nation.high - nation.low, kind) + ".";
    if (area.p !== null) {
      text += " The probability that it is above the national figure (" + settings.above + ") is " + percent(area.p) + ": the area "
        + (area.verdict === 2 ? settings.labels[2] : "is " + settings.labels[area.verdict]) + (area.verdict === 2 ? "." : " the average.");
    }
    return text;
  }

  function ranks(area) {
    if (!area.rankLow || area.of < 2) return "";
    return "Among " + area.of.toLocaleString("en-GB") + " " + area.many + " its rank lies, with probability 90%, between "
      + area.rankLow.toLocaleString("en-GB") + " and " + area.rankHigh.toLocaleString("en-GB") + " (1 is best).";
  }

  function show(card, chain, settings) {
    const area = chain[0], nation = chain[chain.length - 1];
    card.textContent = "";
    card.hidden = false;
    card.classList.toggle("grey", area.grey);
    card.dataset.code = area.code;
    add(card, "h3", area.name);
    const parents = chain.slice(1, -1).map(function (a) { return a.name; });
    const code = area.name === area.code ? "" : " " + area.code + (parents.length ? "," : "");
    add(card, "p", area.one.charAt(0).toUpperCase() + area.one.slice(1) + code + (parents.length ? " in " + parents.join(", ") : "")
      + (area.population > 1 ? " · " + area.population.toLocaleString("en-GB") + " people" : ""), "where");
    add(card, "p", sentence(area, nation, settings));
    const rows = chain.map(function (a) { return { label: a.name, mean: a.mean, low: a.low, high: a.high, grey: a.grey }; });
    card.appendChild(figures.intervals(rows, settings.kind, card.clientWidth > 0 && card.clientWidth < 520));
    const said = ranks(area);
    if (said) add(card, "p", said);
    if (area.grade) {
      const line = add(card, "p", "", "grade");
      add(line, "span", "Grade " + area.grade, "letter");
      add(line, "span", settings.grades[area.grade].charAt(0).toUpperCase() + settings.grades[area.grade].slice(1) + ".");
    }
    for (const pair of settings.flags) {
      if (area.flags & pair[0]) add(card, "p", "Note: " + pair[1] + ".", "note");
    }
  }

  return { show: show };
})();
