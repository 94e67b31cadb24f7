// What the page does besides being read: colours, sorting, long tables, the viewer of slices. It loads, stores and
// sends nothing. Without it everything is there, below each other.
"use strict";
(() => {
    const all = (root, selector) => Array.from(root.querySelectorAll(selector));

    // ---- colours
    const theme = document.querySelector(".theme");
    theme.hidden = false;
    theme.addEventListener("change", (event) => {
        if (event.target.value === "auto") delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = event.target.value;
    });

    // ---- long tables
    for (const box of all(document, ".more")) {
        const rows = all(box, "tbody tr"), shown = Number(box.dataset.shown);
        if (rows.length <= shown + 3) continue; // a button for three rows is more than the rows
        const button = document.createElement("button");
        button.type = "button";
        const mark = () => {
            all(box, "tbody tr").forEach((row, i) => row.classList.toggle("later", i >= shown));
            const open = box.classList.contains("open");
            button.textContent = open ? `Show the first ${shown} only` : `Show all ${rows.length}`;
            button.setAttribute("aria-expanded", String(open));
        };
        button.addEventListener("click", () => {
            box.classList.toggle("open");
            mark();
        });
        box.addEventListener("sorted", mark);
        box.append(button);
        mark();
    }

    // ---- sorting
    const valueOf = (row, column, kind) => {
        const cell = row.cells[column];
        if (kind === "text") return cell.textContent.trim();
        return cell.dataset.v ? Number(cell.dataset.v) : NaN;
    };
    const collator = new Intl.Collator("en", {numeric : true});
    const compare = (a, b, direction) => {
        if (typeof a === "string") return direction * collator.compare(a, b);
        if (Number.isNaN(a) || Number.isNaN(b))
            return Number.isNaN(a) - Number.isNaN(b); // what is not known stays last
        return direction * (a - b);
    };
    const sortBy = (table, head, kind) => {
        const column = head.cellIndex, body = table.tBodies[0];
        const before = head.getAttribute("aria-sort");
        const direction = before === "ascending" || (before === "none" && kind === "figure") ? -1 : 1;
        for (const other of table.tHead.rows[0].cells)
            if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
        const rows = Array.from(body.rows).map((row) => [valueOf(row, column, kind), row]);
        rows.sort((a, b) => compare(a[0], b[0], direction));
        body.append(...rows.map((pair) => pair[1]));
        table.dispatchEvent(new CustomEvent("sorted", {bubbles : true}));
    };
    for (const table of all(document, "table.sortable"))
        for (const head of table.tHead.rows[0].cells) {
            if (head.dataset.sort === "none" || !head.textContent) continue;
            const button = document.createElement("button");
            button.type = "button";
            button.title = "Sort by this column";
            button.append(...head.childNodes);
            head.append(button);
            head.setAttribute("aria-sort", "none");
            button.addEventListener("click", () => sortBy(table, head, head.dataset.sort));
        }

    // ---- slices
    const make = (name, attributes) => {
        const element = document.createElementNS("http://www.w3.org/2000/svg", name);
        for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
        return element;
    };
    let made = 0;
    const pattern = (id, color, angle) => {
        const hatch =
            make("pattern",
                 {id, width : 4, height : 4, patternUnits : "userSpaceOnUse", patternTransform : `rotate(${angle})`});
        hatch.append(make("rect", {width : 1.6, height : 4, fill : color}));
        return hatch;
    };
    const clip = (id, path) => {
        const element = make("clipPath", {id});
        element.append(make("path", {d : path, "clip-rule" : "evenodd"}));
        return element;
    };
    // Both outlines as one path, filled where it lies in one of them only: the pixels that differ. Cut by the truth
    // these are what the mask misses, cut by the mask what it has too much.
    const addDifference = (svg) => {
        const pathOf = (kind) => svg.querySelector(`.${kind}.line`)?.getAttribute("d") ?? "";
        const truth = pathOf("truth"), mask = pathOf("mask"), number = ++made;
        const group = make("g", {class : "difference"});
        group.append(pattern(`p${number}t`, "#56b4e9", 45), pattern(`p${number}m`, "#ffb000", -45),
                     clip(`c${number}t`, truth), clip(`c${number}m`, mask));
        for (const side of ["t", "m"])
            group.append(make("path", {
                d : truth + mask,
                "fill-rule" : "evenodd",
                fill : `url(#p${number}${side})`,
                "clip-path" : `url(#c${number}${side})`
            }));
        svg.querySelector("image").after(group);
    };

    const startViewer = (viewer) => {
        const slices = all(viewer, ".slice"), stage = viewer.querySelector(".slices");
        const choice = viewer.querySelector("[data-patient-choice]"), slider = viewer.querySelector("[data-slider]");
        const place = viewer.querySelector("[data-place]");
        const switches = Object.fromEntries(all(viewer, "[data-switch]").map((box) => [box.dataset.switch, box]));
        const thumbs = viewer.querySelector("[data-thumbs]");
        let now = 0, patientOfThumbs = null;
        const ofPatient = (patient) => slices.filter((slice) => slice.dataset.patient === patient);
        const makeThumb = (slice) => {
            const button = document.createElement("button"), image = document.createElement("img");
            button.type = "button";
            image.setAttribute("src", slice.querySelector("image").getAttribute("href"));
            image.alt = "";
            button.append(image, slice.dataset.short);
            button.addEventListener("click", () => show(slices.indexOf(slice)));
            return button;
        };
        const showThumbs = (patient, group, at) => {
            if (patient !== patientOfThumbs) thumbs.replaceChildren(...group.map(makeThumb));
            patientOfThumbs = patient;
            Array.from(thumbs.children).forEach((thumb, i) => thumb.setAttribute("aria-pressed", String(i === at)));
        };
        const show = (index) => {
            now = Math.max(0, Math.min(slices.length - 1, index));
            const slice = slices[now], group = ofPatient(slice.dataset.patient), at = group.indexOf(slice);
            slices.forEach((other) => other.classList.toggle("now", other === slice));
            choice.value = slice.dataset.patient;
            showThumbs(slice.dataset.patient, group, at);
            slider.max = String(group.length - 1);
            slider.value = String(at);
            slider.disabled = group.length < 2;
            slider.setAttribute("aria-valuetext", slice.querySelector("figcaption").textContent);
            place.textContent = `${at + 1} of ${group.length}`;
            const svg = slice.querySelector("svg"), old = svg.querySelector(".difference");
            if (switches.difference.checked && !old) addDifference(svg);
            if (!switches.difference.checked && old) old.remove();
        };
        const showPatient = (patient) => {
            const group = ofPatient(String(patient));
            if (group.length) show(slices.indexOf(group[0]));
        };
        const applySwitches = () => {
            viewer.classList.toggle("no-truth", !switches.truth.checked);
            viewer.classList.toggle("no-mask", !switches.mask.checked);
            show(now);
        };
        const flip = (kind) => {
            switches[kind].checked = !switches[kind].checked;
            applySwitches();
        };
        const keys = {
            ArrowLeft : () => show(now - 1),
            ArrowRight : () => show(now + 1),
            Home : () => show(0),
            End : () => show(slices.length - 1),
            ArrowUp : () => showPatient(Number(choice.value) - 1),
            ArrowDown : () => showPatient(Number(choice.value) + 1),
        };
        const switchKeys = {t : "truth", m : "mask", d : "difference"};
        viewer.addEventListener("keydown", (event) => {
            if (event.ctrlKey || event.altKey || event.metaKey || event.target === choice) return;
            const kind = switchKeys[event.key.toLowerCase()];
            if (kind) flip(kind);
            else if (keys[event.key] && event.target === stage) keys[event.key]();
            else return;
            event.preventDefault();
        });
        choice.addEventListener("change", () => showPatient(choice.value));
        slider.addEventListener("input", () => show(slices.indexOf(ofPatient(choice.value)[Number(slider.value)])));
        for (const box of Object.values(switches)) box.addEventListener("change", applySwitches);
        stage.tabIndex = 0;
        stage.setAttribute("role", "group");
        stage.setAttribute("aria-label",
                           "Slice; arrow keys change slice and patient, T, M and D switch truth, mask and difference");
        viewer.querySelector(".controls").hidden = false;
        viewer.classList.add("on");
        applySwitches();
    };
    all(document, "[data-viewer]").forEach(startViewer);

    // ---- print: what is folded in is wanted on paper
    let opened = [];
    addEventListener("beforeprint", () => {
        opened = all(document, "details:not([open])");
        opened.forEach((element) => { element.open = true; });
    });
    addEventListener("afterprint", () => opened.forEach((element) => { element.open = false; }));
})();
