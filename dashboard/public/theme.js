// Sets the remembered theme before the first paint; see src/theme.ts.
try {
  const theme = localStorage.getItem("surehook.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be switched off: the system's theme holds.
}
