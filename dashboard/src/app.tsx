import type { JSX } from "preact";
import { Header } from "./components/Header.tsx";
import { MessagePage } from "./pages/Message.tsx";
import { MessagesPage } from "./pages/Messages.tsx";
import { NotFoundPage } from "./pages/NotFound.tsx";
import { OverviewPage } from "./pages/Overview.tsx";
import { SetupPage } from "./pages/Setup.tsx";
import { SignInPage } from "./pages/SignIn.tsx";
import { route } from "./router.ts";
import { signedOut } from "./state.ts";

const MESSAGE = /^\/messages\/([^/]+)$/;

export function App(): JSX.Element {
  return (
    <>
      <a class="skip" href="#main">Skip to the content</a>
      <Header />
      <main id="main" tabIndex={-1}>
        {signedOut.value ? <SignInPage /> : <Page path={route.value.path} />}
      </main>
    </>
  );
}

function Page({ path }: { path: string }): JSX.Element {
  const message = MESSAGE.exec(path)?.[1];
  if (message !== undefined) return <MessagePage key={message} id={message} />;
  switch (path) {
    case "/": return <OverviewPage />;
    case "/messages": return <MessagesPage />;
    case "/setup": return <SetupPage />;
    default: return <NotFoundPage />;
  }
}
