// Looks into every frame and writes down what no reader should meet, a line each.
const LEAST_LETTERS = { narrow: 10.9, wide: 12.4 };

function luminance(colour) {
  const parts = colour.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255);
  const [red, green, blue] = parts.map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one, other) {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function lookAtDrawing(svg, say) {
  const frame = svg.getBoundingClientRect();
  const labels = [...svg.querySelectorAll("text")].map((text) => ({
    words: text.textContent.trim(), box: text.getBoundingClientRect(), text,
  }));
  const scale = frame.width / svg.viewBox.baseVal.width;
  const least = LEAST_LETTERS[svg.classList.contains("wide") ? "wide" : "narrow"];
  labels.forEach(({ words, box, text }, index) => {
    const letters = parseFloat(text.getAttribute("font-size")) * scale;
    if (letters < Math.min(least, 12) && !text.classList.contains("letter")) say(`'${words}' is too small: ${letters} px`);
    const out = box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 2 || box.bottom > frame.bottom + 2;
    if (out) say(`'${words}' is cut off`);
    for (const other of labels.slice(index + 1)) {
      const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
      const high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
      if (wide > 1 && high > 3) say(`'${words}' covers '${other.words}'`);
    }
  });
}

// A page as it is printed: on white, and no figure wider or higher than a sheet.
function lookAtPaper(frame) {
  const page = frame.contentDocument;
  const lines = [];
  const say = (what) => lines.push(`page ${frame.title}, paper: ${what}`);
  if (!page || !page.querySelector("main")) return [`page ${frame.title}, paper: there is no page`];
  const ground = frame.contentWindow.getComputedStyle(page.body).backgroundColor;
  if (ground !== "rgb(255, 255, 255)") say(`the paper is not white: ${ground}`);
  for (const figure of page.querySelectorAll("figure")) {
    const box = figure.getBoundingClientRect();
    const words = figure.querySelector("h3")?.textContent;
    const drawings = [...figure.querySelectorAll(":scope > svg")].map((svg) => svg.getBoundingClientRect());
    const right = Math.max(box.right, ...drawings.map((drawing) => drawing.right));
    if (right > frame.clientWidth + 1) say(`'${words}' is cut on paper: ${right} px`);
    if (drawings.some((drawing) => drawing.height > frame.clientHeight)) say(`'${words}' is cut on paper: too high`);
  }
  return lines;
}

function look(frame) {
  if (frame.dataset.paper !== undefined) return lookAtPaper(frame);
  const [page, width] = [frame.contentDocument, frame.clientWidth];
  const lines = [];
  const say = (what) => lines.push(`page ${frame.title}, ${width} px: ${what}`);
  if (!page || !page.querySelector("main")) return [`page ${frame.title}, ${width} px: there is no page`];
  for (const fold of page.querySelectorAll("details")) fold.open = true;
  const root = page.documentElement;
  if (root.scrollWidth > root.clientWidth) say(`the page sticks out: ${root.scrollWidth} px`);
  for (const { name } of frame.contentWindow.performance.getEntriesByType("resource")) say(`it fetches ${name}`);
  for (const svg of page.querySelectorAll("figure > svg")) {
    if (svg.getBoundingClientRect().width > 0) lookAtDrawing(svg, (what) => say(`${svg.getAttribute("aria-label")}: ${what}`));
  }
  const paper = frame.contentWindow.getComputedStyle(page.body);
  for (const words of page.querySelectorAll("h1, .why, .lead, td, th, .caption, summary, dd, .keys span")) {
    const style = frame.contentWindow.getComputedStyle(words);
    const ground = style.backgroundColor.endsWith(", 0)") ? paper.backgroundColor : style.backgroundColor;
    if (contrast(style.color, ground) < 4.5) { say(`'${words.textContent.slice(0, 30)}' is too pale`); break; }
  }
  return lines;
}

addEventListener("load", () => setTimeout(() => {
  const lines = [...document.querySelectorAll("iframe")].flatMap(look);
  document.getElementById("found").textContent = ["looked", ...lines].join("\n");
}, 300));
