import { AuthProvider } from "@countersign/client/react";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { auth, queryClient } from "./auth.ts";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <AuthProvider client={auth} queryClient={queryClient}>
        <App />
      </AuthProvider>
    </QueryClientProvider>
  </StrictMode>,
);
