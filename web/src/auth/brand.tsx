import type { Appearance } from "../shared/appearance.ts";
import styles from "./app.module.css";

/** Whose pages these are. */
export function Brand({ brand }: Pick<Appearance, "brand">) {
  return (
    <header className={styles.header}>
      {brand.logo !== null && <img className={styles.logo} src={brand.logo} alt="" height={40} />}
      <span className={styles.brand}>{brand.name}</span>
    </header>
  );
}
