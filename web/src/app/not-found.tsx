import { Trans, useLingui } from "@lingui/react/macro";
import { Link } from "@tanstack/react-router";
import { Title } from "./parts/title.tsx";

/** An address that is no page. */
export function NotFound() {
  const { t } = useLingui();
  return (
    <>
      <Title text={t`There is no such page`} />
      <p>
        <Link to="/account">
          <Trans>Your account</Trans>
        </Link>
      </p>
    </>
  );
}
