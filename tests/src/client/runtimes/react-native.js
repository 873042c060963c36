/** Leaves a Node.js of those globals that React Native's engine has too. Imported before anything of the client's. */
const absent = [
  "BroadcastChannel",
  "DOMException",
  "Event",
  "EventSource",
  "EventTarget",
  "MessageChannel",
  "addEventListener",
  "crypto",
  "document",
  "localStorage",
  "location",
  "sessionStorage",
  "structuredClone",
];
// Node's own fetch takes some of them when it is called first. (It also takes streams, later, so those stay.)
await fetch("data:,");
for (const name of absent) Reflect.deleteProperty(globalThis, name);
Reflect.deleteProperty(Promise, "withResolvers");
for (const name of ["any", "timeout"]) Reflect.deleteProperty(AbortSignal, name);
for (const name of ["reason", "throwIfAborted"]) Reflect.deleteProperty(AbortSignal.prototype, name);
Object.defineProperty(globalThis, "navigator", { value: { product: "ReactNative" } });

const left = absent.filter((name) => name in globalThis);
if (left.length > 0) throw new Error(`still there: ${left}`);
if (Reflect.has(AbortSignal, "any") || Reflect.has(AbortSignal.prototype, "reason"))
  throw new Error("AbortSignal is whole");
