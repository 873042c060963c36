/** A bar chart as SVG, by Vega: the picture is data, and no browser draws it. */
import { parse, View } from "vega";
import { compile } from "vega-lite";

export async function chartOf(
  title: string,
  bars: readonly { readonly name: string; readonly value: number }[],
): Promise<string> {
  const longestFirst = bars.toSorted((one, other) => other.value - one.value);
  const { spec } = compile({
    title,
    width: 560,
    background: "white",
    data: {
      values: longestFirst.map(({ name, value }) => ({
        name,
        value: Math.round(value),
        isOurs: /^Countersign/.test(name),
      })),
    },
    encoding: {
      y: { field: "name", type: "nominal", sort: null, title: null, axis: { labelLimit: 260 } },
      x: { field: "value", type: "quantitative", title: null },
    },
    layer: [
      {
        mark: "bar",
        encoding: {
          color: {
            field: "isOurs",
            type: "nominal",
            legend: null,
            scale: { domain: [true, false], range: ["#1a7f5a", "#b8c0c8"] },
          },
        },
      },
      {
        mark: { type: "text", align: "left", dx: 4 },
        encoding: { text: { field: "value", type: "quantitative", format: "," } },
      },
    ],
  });
  const view = new View(parse(spec), { renderer: "none" });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
