import { index, type RouteConfig, route } from "@react-router/dev/routes";

export default [
  index("routes/notes.tsx"),
  route("login", "routes/login.tsx"),
  route("logout", "routes/logout.tsx"),
] satisfies RouteConfig;
