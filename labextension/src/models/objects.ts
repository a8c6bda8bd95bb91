import { Model } from './model';

/** Tells that the tables or applications of the current state may have changed: who shows them asks again. */
export class ObjectsModel extends Model {
  refresh(): void {
    this.notify();
  }
}
